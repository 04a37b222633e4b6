#include "agent/up_command.hh"

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

// As a shell takes it for one word.
std::string Quoted(const std::string &word) {
  constexpr char kPlain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:@%,";
  if (word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (char c : word) absl::StrAppend(&quoted, c == '\'' ? "'\\''" : std::string(1, c));
  return quoted + "'";
}

}  // namespace

std::string UpCommand(const UpState &state) {
  std::string command = "srcsel up";
  if (!state.policy.empty()) absl::StrAppend(&command, " --policy ", Quoted(state.policy));
  if (!state.cgroup.empty() && state.cgroup != "/")
    absl::StrAppend(&command, " --cgroup ", Quoted(state.cgroup));
  if (state.steered) absl::StrAppend(&command, " --steer");
  if (!state.netns_name.empty()) absl::StrAppend(&command, " --netns ", Quoted(state.netns_name));
  if (state.trial != 0) absl::StrAppend(&command, " --try ", state.trial, "s");
  return command;
}

std::string AgainCommand(const UpState &state) {
  if (state.pid == 0 || state.until <= absl::Now()) return "srcsel down";
  return absl::StrCat("srcsel down && ", UpCommand(state));
}

}  // namespace srcsel
