#include "agent/up_pins.hh"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/up_state.hh"
#include "base/processes.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

// Those that the kernel still has.
std::vector<KeptLink> LinksOf(const UpState &state) {
  std::vector<KeptLink> links;
  for (const std::uint32_t id : state.links)
    if (absl::StatusOr<KeptLink> link = DescribeLink(id); link.ok())
      links.push_back(*std::move(link));
  return links;
}

bool HasAnyOf(const Pins &pins, const UpState &state) {
  const absl::StatusOr<std::vector<KeptLink>> links = pins.Links();
  return links.ok() && std::ranges::any_of(*links, [&](const KeptLink &link) {
           return std::ranges::find(state.links, link.id) != state.links.end();
         });
}

absl::StatusOr<Pins> PinsSeenBy(pid_t pid, const std::string &path) {
  return Pins::Open(absl::StrCat("/proc/", pid, "/root", path));
}

}  // namespace

absl::StatusOr<Pins> OpenPins(const UpPaths &paths) {
  absl::StatusOr<Pins> here = Pins::Open(paths.bpf);
  if (!absl::IsNotFound(here.status())) return here;
  const absl::StatusOr<Fd> run = OpenRunDirectory(paths);
  const absl::StatusOr<UpState> state = run.ok() ? ReadUpState(*run) : run.status();
  if (!state.ok()) return here;
  if (IsFollowing(*state))
    if (absl::StatusOr<Pins> pins = PinsSeenBy(state->pid, paths.bpf); pins.ok()) return pins;
  const std::vector<KeptLink> links = LinksOf(*state);
  if (links.empty()) return here;
  for (const pid_t pid : OnePerNamespace("mnt"))
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

absl::Status RemovePins(const UpPaths &paths) {
  for (;;) {
    const absl::StatusOr<Pins> pins = OpenPins(paths);
    if (absl::IsNotFound(pins.status())) return absl::OkStatus();
    SRCSEL_RETURN_IF_ERROR(pins.status());
    SRCSEL_RETURN_IF_ERROR(pins->Remove());
  }
}

}  // namespace srcsel
