#include "agent/up_status.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/up_command.hh"
#include "agent/up_pins.hh"
#include "base/cgroup_root.hh"
#include "base/status.hh"
#include "hooks/kept_image.hh"
#include "hooks/socket_facts.hh"

namespace srcsel {
namespace {

constexpr std::size_t kHooks = 8;

}  // namespace

std::string UpTrouble::ToString() const {
  return remedy.empty() ? what : absl::StrCat(what, ": ", remedy);
}

UpTrouble UpStatus::HookTrouble() const {
  if (abi != 0 && abi != SRCSEL_ABI_VERSION)
    return {absl::StrCat("the hooks are of another srcsel, whose images are of version ", abi,
                         " (this one's: ", SRCSEL_ABI_VERSION, ")"),
            AgainCommand(state)};
  if (hooks.size() + state.missing.size() < kHooks)
    return {"hooks are missing", AgainCommand(state)};
  if (std::ranges::any_of(hooks, [](const KeptLink &link) { return link.cgroup == 0; }))
    return {absl::StrCat("the cgroup ", state.cgroup.empty() ? "they were on" : state.cgroup,
                         " has been removed, and the hooks with it"),
            cgroup_is_back ? AgainCommand(state) : "srcsel down"};
  return {};
}

UpTrouble UpStatus::Trouble() const {
  if (UpTrouble trouble = HookTrouble(); !trouble.what.empty()) return trouble;
  if (!following && state.until <= absl::Now())
    return {"the trial has run out, and nobody was left to end it", "srcsel down"};
  if (state.pid == 0)
    return {"what it was brought up with is not known any more, and no change is followed",
            "srcsel down"};
  if (!following)
    return {absl::StrCat("process ", state.pid, " is gone, so no change is followed"),
            abi != 0 ? UpCommand(state) : AgainCommand(state)};
  if (stopped)
    return {absl::StrCat("process ", state.pid,
                         " is stopped and does not answer, so no change is followed"),
            absl::StrCat("kill -CONT ", state.pid)};
  return {state.stale, ""};
}

absl::StatusOr<UpStatus> ReadUpStatus(const UpPaths &paths) {
  const absl::StatusOr<Pins> pins = OpenPins(paths);
  absl::StatusOr<UpState> state = ReadUpState(paths);
  if (absl::IsNotFound(state.status()) && absl::IsNotFound(pins.status()))
    return absl::NotFoundError("nothing is up");
  UpStatus status;
  if (state.ok()) {
    status.state = *std::move(state);
    status.following = IsFollowing(status.state);
    status.stopped = status.following && IsStopped(status.state.pid);
  } else if (!absl::IsNotFound(state.status())) {
    return state.status();
  }
  status.cgroup_is_back = PointToCgroup(status.state.cgroup).ok();
  if (absl::IsNotFound(pins.status())) return status;
  SRCSEL_RETURN_IF_ERROR(pins.status());
  SRCSEL_ASSIGN_OR_RETURN(status.hooks, pins->Links());
  const absl::StatusOr<KeptImage> image = KeptImage::Open(*pins);
  if (!image.ok()) return status;
  status.abi = image->header().version;
  if (!image->IsOurs()) return status;
  status.generation = image->header().generation;
  SRCSEL_ASSIGN_OR_RETURN(status.counts, ReadKeptCounts(*pins, *image));
  return status;
}

absl::StatusOr<std::vector<OpenSocket>> OldSockets(const UpPaths &paths, const UpState &state) {
  std::vector<OpenSocket> old;
  SRCSEL_ASSIGN_OR_RETURN(const Pins pins, OpenPins(paths));
  SRCSEL_ASSIGN_OR_RETURN(const Fd cgroup, OpenCgroup(state.cgroup));
  const Fd map = pins.Map("facts");
  const SocketFacts facts(map.get());
  ForEachOpenSocket(cgroup, [&](const OpenSocket &about, const Fd &socket) {
    if (!about.listening && (facts.Of(socket) & SRCSEL_FACT_OLD) != 0) old.push_back(about);
  });
  return old;
}

}  // namespace srcsel
