#include <algorithm>

#include "absl/strings/str_cat.h"
#include "srcsel/doctor/checks.hh"
#include <srcsel/abi.h>

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

// The one that brought it up.
std::string UpCommand(const UpState &state) {
  std::string command = "srcsel up";
  if (!state.policy.empty()) absl::StrAppend(&command, " --policy ", Quoted(state.policy));
  if (!state.cgroup.empty() && state.cgroup != "/")
    absl::StrAppend(&command, " --cgroup ", Quoted(state.cgroup));
  if (state.steered) absl::StrAppend(&command, " --steer");
  if (!state.netns_name.empty()) absl::StrAppend(&command, " --netns ", Quoted(state.netns_name));
  return command;
}

std::string AgainCommand(const UpState &state) {
  return absl::StrCat("srcsel down && ", UpCommand(state));
}

bool IsOfAnotherAbi(const UpStatus &status) {
  return status.abi != 0 && status.abi != SRCSEL_ABI_VERSION;
}

std::string Remedy(const UpStatus &status) {
  if (std::ranges::any_of(status.hooks, [](const KeptLink &link) { return link.cgroup == 0; }))
    return "srcsel down";
  if (!status.following && status.abi != 0) return UpCommand(status.state);
  return status.state.stale.empty() ? AgainCommand(status.state) : "";
}

}  // namespace

Complaints CheckUp(const Facts &facts) {
  if (!facts.up.unread.empty() && facts.host.may_pin)
    return {{Gravity::kBroken,
             absl::StrCat("what srcsel up keeps cannot be read: ", facts.up.unread), ""}};
  if (!facts.up.status || IsOfAnotherAbi(*facts.up.status)) return {};
  const std::string trouble = facts.up.status->Trouble();
  if (trouble.empty()) return {};
  return {{Gravity::kBroken, absl::StrCat("of what is up: ", trouble), Remedy(*facts.up.status)}};
}

Complaints CheckUpVersion(const Facts &facts) {
  if (!facts.up.status) return {};
  const UpStatus &status = *facts.up.status;
  if (IsOfAnotherAbi(status))
    return {{Gravity::kBroken,
             absl::StrCat("two srcsel are on this host: the hooks that are attached are those of ",
                          status.state.version.empty() ? "another" : status.state.version,
                          ", with images of version ", status.abi, "; this is ", facts.host.release,
                          ", with version ", SRCSEL_ABI_VERSION),
             AgainCommand(status.state)}};
  if (status.state.version.empty() || status.state.version == facts.host.release) return {};
  return {{Gravity::kNote,
           absl::StrCat("what is up is kept so by srcsel ", status.state.version, "; this is ",
                        facts.host.release),
           AgainCommand(status.state)}};
}

}  // namespace srcsel
