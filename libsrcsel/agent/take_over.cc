#include "agent/take_over.hh"

#include <sys/stat.h>

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "agent/up_command.hh"
#include "agent/up_pins.hh"
#include "base/cgroup_root.hh"
#include "base/netns.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

std::string Named(const std::string &netns, const char *otherwise) {
  return netns.empty() ? otherwise : absl::StrCat("network namespace ", netns);
}

// Several paths may lead to one cgroup.
std::string ChangeOfCgroup(const UpRequest &request, const UpState &last, const KeptLink &link) {
  const absl::StatusOr<Fd> cgroup = PointToCgroup(request.cgroup);
  struct stat about;
  if (!cgroup.ok() || fstat(cgroup->get(), &about) != 0 || about.st_ino == link.cgroup) return "";
  return absl::StrCat("the hooks move from cgroup ", last.cgroup,
                      link.cgroup == 0 ? ", which has been removed, to " : " to ", request.cgroup);
}

std::string ChangeOfPolicy(const UpRequest &request, const UpState &last) {
  if (last.policy.empty() || last.policy == request.policy.file) return "";
  if (!request.policy.file.empty())
    return absl::StrCat("the policy ", last.policy, " is replaced by ", request.policy.file);
  return absl::StrCat("the policy ", last.policy, " is dropped: give --policy ", last.policy,
                      " to keep it");
}

std::string ChangeOfSteering(const UpRequest &request, const UpState &last) {
  if (!last.steered || request.steer) return "";
  return "the ip rules of --steer are removed: give --steer to keep them";
}

absl::StatusOr<std::string> ChangeOfNetns(const UpRequest &request, const UpState &last) {
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t here, NetnsCookie());
  if (last.netns == here) return "";
  const std::string before = Named(last.netns_name, "another network namespace");
  if (last.steered)
    return absl::FailedPreconditionError(
        absl::StrCat("ip rules of srcsel up --steer are in ", before,
                     ": srcsel down removes them; or take over there: ", UpCommand(last)));
  return absl::StrCat("routes and rules are those of ", Named(request.netns, "this one"),
                      ", no longer those of ", before);
}

std::string ChangeOfTrial(const UpRequest &request, const UpState &last) {
  if (last.trial == 0 || request.trial) return "";
  return absl::StrCat("what was on trial stays up: give --try ", last.trial, "s to try it on");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ChangesOfTakingOver(const UpRequest &request) {
  std::vector<std::string> changes;
  const absl::StatusOr<UpState> last = ReadUpState(request.paths);
  if (!last.ok() || IsFollowing(*last)) return changes;
  const absl::StatusOr<Pins> pins = OpenPins(request.paths);
  if (absl::IsNotFound(pins.status())) return changes;
  SRCSEL_RETURN_IF_ERROR(pins.status());
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<KeptLink> links, pins->Links());
  if (links.empty()) return changes;
  if (!Pins::Open(request.paths.bpf).ok())
    return absl::FailedPreconditionError(absl::StrCat(
        "hooks that nobody keeps are pinned out of sight of this mount namespace: ",
        UpCommand(*last), " takes over where srcsel up was said, srcsel down ends it"));
  SRCSEL_ASSIGN_OR_RETURN(const std::string netns, ChangeOfNetns(request, *last));
  for (const std::string &change :
       {ChangeOfCgroup(request, *last, links.front()), netns, ChangeOfPolicy(request, *last),
        ChangeOfSteering(request, *last), ChangeOfTrial(request, *last)})
    if (!change.empty()) changes.push_back(change);
  return changes;
}

}  // namespace srcsel
