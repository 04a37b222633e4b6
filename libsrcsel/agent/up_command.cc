#include "agent/up_command.hh"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/find_netns.hh"

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

// As it was named; of what had no name, what leads there from where one is.
std::string NetnsOf(const UpState &state) {
  if (!state.netns_name.empty() || state.netns == 0) return state.netns_name;
  const absl::StatusOr<FoundNetns> found = FindNetns(state.netns, "");
  return found.ok() ? found->name : "";
}

}  // namespace

std::string UpCommand(const UpState &state) {
  std::string command = "srcsel up";
  if (!state.policy.empty()) absl::StrAppend(&command, " --policy ", Quoted(state.policy));
  if (!state.cgroup.empty() && state.cgroup != "/")
    absl::StrAppend(&command, " --cgroup ", Quoted(state.cgroup));
  if (state.steered) absl::StrAppend(&command, " --steer");
  if (const std::string netns = NetnsOf(state); !netns.empty())
    absl::StrAppend(&command, " --netns ", Quoted(netns));
  if (state.trial != 0) absl::StrAppend(&command, " --try ", state.trial, "s");
  return command;
}

bool IsWorthKeeping(const UpState &state) {
  return state.pid != 0 && absl::Now() < state.until;
}

std::string AgainCommand(const UpState &state) {
  if (!IsWorthKeeping(state)) return "srcsel down";
  return absl::StrCat("srcsel down && ", UpCommand(state));
}

}  // namespace srcsel
