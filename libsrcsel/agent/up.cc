#include "agent/up.hh"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/cgroup_path.hh"
#include "agent/open_sockets.hh"
#include "agent/own_rules.hh"
#include "agent/publish_image.hh"
#include "agent/take_over.hh"
#include "agent/up_pins.hh"
#include "base/cgroup_root.hh"
#include "base/find_netns.hh"
#include "base/netns.hh"
#include "base/status.hh"
#include "hooks/kept_image.hh"
#include "policy/text_file.hh"

namespace srcsel {
namespace {

bool SeesCgroups() {
  constexpr std::size_t kLargest = 1u << 20;
  const absl::StatusOr<std::string> own = CgroupOf(getpid());
  const absl::StatusOr<std::string> mounts = ReadTextFile("/proc/self/mountinfo", kLargest);
  return own.ok() && mounts.ok() && FindCgroupMount(*mounts, *own).ok();
}

// In a container the first process's may not be looked at; `ip netns exec` hides cgroups too.
bool HasMountsOfItsOwn() {
  struct stat own, first;
  if (stat("/proc/self/ns/mnt", &own) == 0 && stat("/proc/1/ns/mnt", &first) == 0)
    return own.st_ino != first.st_ino;
  return !SeesCgroups();
}

// What is pinned in a mount namespace of a command's own goes with its last process.
absl::Status CheckMounts(const UpRequest &request) {
  const std::string above = request.paths.bpf.substr(0, request.paths.bpf.rfind('/'));
  if (!absl::StartsWith(above, "/sys/") || IsBpffs(above) || !HasMountsOfItsOwn())
    return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(above,
                   " is no bpffs in this mount namespace, and one mounted here would be gone with "
                   "it: say srcsel up --netns ",
                   request.netns.empty() ? "NAME" : request.netns, " outside of `ip netns exec`"));
}

// The hooks to come: over those that are kept, if this srcsel understands what they know.
absl::StatusOr<Hooks> LoadHooks(const Pins &pins, HookMirror &mirror) {
  const absl::StatusOr<KeptImage> kept = KeptImage::Open(pins);
  if (!kept.ok() || !kept->IsOurs()) return Hooks::Load();
  mirror.CountFrom(kept->header().generation);
  return Hooks::LoadOver(pins);
}

// Sockets that no hook has seen being bound or marked; not those that we alone have.
void NoteOldSockets(const Fd &cgroup, const Hooks &hooks, UpState &state) {
  const SocketFacts facts = hooks.facts();
  state.unseen = ForEachOpenSocket(cgroup, [&](const OpenSocket &about, const Fd &socket) {
    if (about.pid == getpid()) return;
    if (facts.Add(socket, SRCSEL_FACT_OLD).ok()) ++state.old_sockets;
  });
}

// Without a state it is not known where they were added; here it may have been. kNotFound: the
// namespace they were added in is not found.
absl::Status RemoveSteering(const Fd &run) {
  const absl::StatusOr<UpState> state = ReadUpState(run);
  if (!state.ok()) return RemoveOwnRules(RuleOwner::kUp);
  if (!state->steered) return absl::OkStatus();
  const absl::StatusOr<FoundNetns> found = FindNetns(state->netns, state->netns_name);
  if (absl::IsNotFound(found.status()))
    return absl::NotFoundError(
        "all is down but the ip rules of --steer, if the network namespace they are in still is: "
        "no name leads to it, and no process is in it; what removes them there: ip rule flush "
        "protocol 83 && ip -6 rule flush protocol 83");
  SRCSEL_RETURN_IF_ERROR(found.status());
  return CallInNetns(found->netns, [] { return RemoveOwnRules(RuleOwner::kUp); });
}

absl::Status Attach(const Fd &cgroup, const Pins &pins, Up &up) {
  up.hooks.MindOldSockets();
  SRCSEL_RETURN_IF_ERROR(up.hooks.KeepRemembering(cgroup, pins));
  const absl::StatusOr<UpState> last = ReadUpState(up.run);
  if (!last.ok() || !up.hooks.remembers_all()) {
    NoteOldSockets(cgroup, up.hooks, up.state);
  } else {
    up.state.since = last->since;
    up.state.old_sockets = last->old_sockets;
    up.state.unseen = last->unseen;
  }
  up.state.missing = up.hooks.Missing();
  SRCSEL_RETURN_IF_ERROR(up.hooks.KeepDeciding(cgroup, pins));
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<KeptLink> links, pins.Links());
  for (const KeptLink &link : links) up.state.links.push_back(link.id);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UpPlan> PlanUp(const UpRequest &request) {
  SRCSEL_ASSIGN_OR_RETURN(std::vector<std::string> changes, ChangesOfTakingOver(request));
  SRCSEL_ASSIGN_OR_RETURN(HookMirror mirror, HookMirror::Start());
  if (request.steer) mirror.SteerAs(RuleOwner::kUp);
  SRCSEL_ASSIGN_OR_RETURN(Examined examined,
                          Examine(request.policy, mirror.state(), mirror.advice()));
  SRCSEL_ASSIGN_OR_RETURN(HostMarks marks, HostMarks::Start(examined.written, mirror));
  return UpPlan{std::move(examined), std::move(mirror), std::move(marks), std::move(changes)};
}

absl::StatusOr<std::unique_ptr<Up>> BringUp(const UpRequest &request, UpPlan plan) {
  SRCSEL_RETURN_IF_ERROR(CheckMounts(request));
  SRCSEL_ASSIGN_OR_RETURN(const Fd cgroup, OpenCgroup(request.cgroup));
  SRCSEL_ASSIGN_OR_RETURN(Fd run, MakeRunDirectory(request.paths));
  SRCSEL_ASSIGN_OR_RETURN(Fd lock, TakeLock(run));
  SRCSEL_ASSIGN_OR_RETURN(const Pins pins, Pins::Make(request.paths.bpf));
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<KeptLink> before, pins.Links());
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, LoadHooks(pins, plan.mirror));
  Policy from_file = plan.examined.written;
  SRCSEL_RETURN_IF_ERROR(AddMarks(plan.marks.policy(), plan.mirror.state(), plan.examined));
  auto up = std::make_unique<Up>(Up{.paths = request.paths,
                                    .run = std::move(run),
                                    .lock = std::move(lock),
                                    .source = request.policy,
                                    .from_file = std::move(from_file),
                                    .policy = std::move(plan.examined.written),
                                    .mirror = std::move(plan.mirror),
                                    .marks = std::move(plan.marks),
                                    .hooks = std::move(hooks)});
  up->state.cgroup = request.cgroup;
  up->state.since = up->state.policy_since = absl::Now();
  up->state.steered = request.steer;
  up->state.netns = up->mirror.state().netns;
  up->state.netns_name = request.netns;
  up->took_over = !before.empty();
  absl::Status status = request.steer ? MakeOwnRules(plan.examined.wanted, RuleOwner::kUp)
                                      : RemoveOwnRules(RuleOwner::kUp);
  if (status.ok()) status = up->mirror.Publish(std::move(plan.examined.resolved), up->hooks);
  if (status.ok()) status = up->hooks.ForgetTallies();
  if (status.ok()) status = Attach(cgroup, pins, *up);
  if (status.ok()) return up;
  if (!up->took_over) TakeDown(up->paths, up->run).IgnoreError();
  return status;
}

absl::Status TakeDown(const UpPaths &paths, const Fd &run) {
  SRCSEL_RETURN_IF_ERROR(RemovePins(paths));
  const absl::Status steering = RemoveSteering(run);
  if (!steering.ok() && !absl::IsNotFound(steering)) return steering;
  SRCSEL_RETURN_IF_ERROR(WithdrawImage(run, "image"));
  for (const char *name : {"control", "state", "lock"})
    if (unlinkat(run.get(), name, 0) != 0 && errno != ENOENT)
      return absl::ErrnoToStatus(errno, absl::StrCat("remove ", paths.run, "/", name));
  return steering;
}

}  // namespace srcsel
