#include "agent/run.hh"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/custodian.hh"
#include "agent/hook_mirror.hh"
#include "agent/mark_findings.hh"
#include "agent/own_rules.hh"
#include "agent/resolve.hh"
#include "agent/run_cgroup.hh"
#include "agent/up_pins.hh"
#include "base/cgroup_root.hh"
#include "base/in_netns.hh"
#include "base/status.hh"
#include "hooks/hooks.hh"

namespace srcsel {
namespace {

absl::Status Start(Charge &charge) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd custodian, StartCustodian(charge));
  SRCSEL_RETURN_IF_ERROR(charge.cgroup.Join());
  const char joined = 1;
  if (send(custodian.get(), &joined, 1, MSG_NOSIGNAL) != 1)
    return absl::ErrnoToStatus(errno, "tell the process that follows the kernel");
  return absl::OkStatus();
}

// `steering` is taken if all goes well.
absl::StatusOr<Findings> Enter(const Policy &policy, const CgroupRoot &where, HookMirror mirror,
                               Fd &steering) {
  SRCSEL_ASSIGN_OR_RETURN(Resolution resolution, Resolve(policy, mirror.state(), mirror.advice()));
  if (HasErrors(resolution.findings)) return std::move(resolution.findings);
  ReportDeadMarks(resolution.policy, mirror.state(), resolution.findings);
  SRCSEL_RETURN_IF_ERROR(
      ReportUnmarkedBinds(resolution.policy, mirror.state(), resolution.findings));
  if (steering) SRCSEL_RETURN_IF_ERROR(AddOwnRules(resolution.wanted, RuleOwner::kRun));
  const absl::StatusOr<Pins> above = OpenPins(UpPaths::Get());
  if (!above.ok() && !absl::IsNotFound(above.status()))
    resolution.findings.push_back(
        {Severity::kWarning,
         {},
         "",
         absl::StrCat(above.status().message(),
                      "; below their cgroup, the hooks of srcsel up overrule a run")});
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, above.ok() ? Hooks::LoadBelow(*above) : Hooks::Load());
  SRCSEL_RETURN_IF_ERROR(mirror.Publish(std::move(resolution.policy), hooks));
  SRCSEL_ASSIGN_OR_RETURN(RunCgroup cgroup, RunCgroup::Create(where));

  Charge charge{policy, std::move(mirror), std::move(hooks), std::move(cgroup),
                std::move(steering)};
  absl::Status status = charge.hooks.Attach(charge.cgroup.fd());
  if (status.ok()) status = Start(charge);
  for (const std::string &missing : charge.hooks.Missing())
    resolution.findings.push_back({Severity::kWarning, {}, "", missing});
  if (status.ok()) return std::move(resolution.findings);
  charge.cgroup.Remove().IgnoreError();
  steering = std::move(charge.steering);
  return status;
}

}  // namespace

absl::StatusOr<Findings> EnterPolicy(const Policy &policy, const std::string &netns, bool steer) {
  SRCSEL_ASSIGN_OR_RETURN(const CgroupRoot where, FindCgroupRoot());
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(netns));
  SweepAbandoned(where.root);
  Fd steering;
  if (steer) {
    SRCSEL_ASSIGN_OR_RETURN(steering, JoinSteeringRuns());
  }
  SRCSEL_ASSIGN_OR_RETURN(HookMirror mirror, HookMirror::Start());
  if (steer) mirror.SteerAs(RuleOwner::kRun);
  absl::StatusOr<Findings> findings = Enter(policy, where, std::move(mirror), steering);
  LeaveSteeringRuns(std::move(steering));
  return findings;
}

}  // namespace srcsel
