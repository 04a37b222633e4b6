#include "agent/up_pins.hh"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/up_state.hh"
#include "base/processes.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

// Those that the kernel still has.
absl::StatusOr<std::vector<KeptLink>> LinksOf(const UpState &state) {
  std::vector<KeptLink> links;
  for (const std::uint32_t id : state.links) {
    absl::StatusOr<KeptLink> link = DescribeLink(id);
    if (absl::IsNotFound(link.status())) continue;
    SRCSEL_RETURN_IF_ERROR(link.status());
    links.push_back(*std::move(link));
  }
  return links;
}

bool HasAnyOf(const Pins &pins, const UpState &state) {
  const absl::StatusOr<std::vector<KeptLink>> links = pins.Links();
  return links.ok() && std::ranges::any_of(*links, [&](const KeptLink &link) {
           return std::ranges::find(state.links, link.id) != state.links.end();
         });
}

// Users who are root in a user namespace of their own mount and link there what they like.
bool IsOfOtherUsers(pid_t pid) {
  return !SharesNamespace(pid, "user");
}

// None comes back from a user namespace of its own: looked at after its root was opened.
absl::StatusOr<Pins> PinsSeenBy(pid_t pid, const std::string &path) {
  const std::string name = absl::StrCat("/proc/", pid, "/root");
  const Fd root(open(name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return absl::ErrnoToStatus(errno, absl::StrCat("open ", name));
  if (IsOfOtherUsers(pid))
    return absl::PermissionDeniedError(absl::StrCat(name, " is of another user namespace"));
  return Pins::OpenBelow(root, path);
}

}  // namespace

absl::StatusOr<Pins> OpenPins(const UpPaths &paths) {
  absl::StatusOr<Pins> here = Pins::Open(paths.bpf);
  if (!absl::IsNotFound(here.status())) return here;
  const absl::StatusOr<UpState> state = ReadUpState(paths);
  if (!state.ok()) return here;
  if (IsFollowing(*state))
    if (absl::StatusOr<Pins> pins = PinsSeenBy(state->pid, paths.bpf); pins.ok()) return pins;
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<KeptLink> links, LinksOf(*state));
  if (links.empty()) return here;
  std::vector<pid_t> processes = Processes();
  std::erase_if(processes, IsOfOtherUsers);
  for (const pid_t pid : OnePerNamespace("mnt", processes))
    if (absl::StatusOr<Pins> pins = PinsSeenBy(pid, paths.bpf);
        pins.ok() && HasAnyOf(*pins, *state))
      return pins;
  if (std::ranges::all_of(links, [](const KeptLink &link) { return link.cgroup == 0; }))
    return here;
  return absl::FailedPreconditionError(absl::StrCat(
      "the hooks of srcsel up are attached, but ", paths.bpf,
      ", where they are pinned, is not seen in this mount namespace, nor by any process: say this "
      "outside of `ip netns exec`, or where srcsel up was said"));
}

// What is pinned here may be of another than who wrote the state, whose hooks are elsewhere then.
absl::Status RemovePins(const UpPaths &paths) {
  const absl::StatusOr<UpState> state = ReadUpState(paths);
  for (bool all = false; !all;) {
    const absl::StatusOr<Pins> pins = OpenPins(paths);
    if (absl::IsNotFound(pins.status())) break;
    SRCSEL_RETURN_IF_ERROR(pins.status());
    all = !state.ok() || HasAnyOf(*pins, *state);
    SRCSEL_RETURN_IF_ERROR(pins->Remove());
  }
  return absl::OkStatus();
}

}  // namespace srcsel
