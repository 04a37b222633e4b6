#include "agent/own_rules.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/netns.hh"
#include "base/status.hh"
#include "netlink/change_rules.hh"

namespace srcsel {
namespace {

bool IsOf(const Rule &rule, RuleOwner owner) {
  return rule.protocol == static_cast<std::uint8_t>(owner);
}

bool Steers(const Rule &a, const Rule &b) {
  return a.from == b.from && a.table == b.table;
}

bool Has(const std::vector<Rule> &rules, const Rule &wanted) {
  return std::ranges::any_of(rules, [&](const Rule &rule) { return Steers(rule, wanted); });
}

absl::Status RemoveAllBut(const std::vector<Rule> &wanted, RuleOwner owner) {
  SRCSEL_ASSIGN_OR_RETURN(RuleChanger changer, RuleChanger::Open());
  SRCSEL_ASSIGN_OR_RETURN(std::vector<Rule> present, changer.List());
  for (const Rule &rule : TakeOwnRules(present, owner))
    if (!Has(wanted, rule)) SRCSEL_RETURN_IF_ERROR(changer.Remove(rule));
  return absl::OkStatus();
}

// One a namespace.
absl::StatusOr<std::string> LockPath() {
  const UpPaths paths = UpPaths::Get();
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t netns, NetnsCookie());
  SRCSEL_RETURN_IF_ERROR(MakeRunDirectory(paths).status());
  return absl::StrCat(paths.run, "/steer-", netns);
}

}  // namespace

Rule SteeringRule(const IpAddress &source, std::uint32_t table) {
  Rule rule;
  rule.family = source.family();
  rule.from = {source, source.bits()};
  rule.to = Prefix::Default(rule.family);
  rule.table = table;
  return rule;
}

std::vector<Rule> TakeOwnRules(std::vector<Rule> &rules, RuleOwner owner) {
  std::vector<Rule> own;
  std::erase_if(rules, [&](const Rule &rule) {
    if (IsOf(rule, owner)) own.push_back(rule);
    return IsOf(rule, RuleOwner::kUp) || IsOf(rule, RuleOwner::kRun);
  });
  return own;
}

bool HasAll(const std::vector<Rule> &own, const std::vector<Rule> &wanted, RuleOwner owner) {
  const bool all = std::ranges::all_of(wanted, [&](const Rule &rule) { return Has(own, rule); });
  return all && (owner == RuleOwner::kRun || own.size() == wanted.size());
}

absl::Status AddOwnRules(const std::vector<Rule> &wanted, RuleOwner owner) {
  SRCSEL_ASSIGN_OR_RETURN(RuleChanger changer, RuleChanger::Open());
  SRCSEL_ASSIGN_OR_RETURN(std::vector<Rule> present, changer.List());
  const std::vector<Rule> own = TakeOwnRules(present, owner);
  for (Rule rule : wanted) {
    rule.protocol = static_cast<std::uint8_t>(owner);
    if (!Has(own, rule)) SRCSEL_RETURN_IF_ERROR(changer.Add(rule));
  }
  return absl::OkStatus();
}

absl::Status MakeOwnRules(const std::vector<Rule> &wanted, RuleOwner owner) {
  SRCSEL_RETURN_IF_ERROR(AddOwnRules(wanted, owner));
  if (owner == RuleOwner::kRun) return absl::OkStatus();
  return RemoveAllBut(wanted, owner);
}

absl::Status RemoveOwnRules(RuleOwner owner) {
  return RemoveAllBut({}, owner);
}

absl::StatusOr<Fd> JoinSteeringRuns() {
  SRCSEL_ASSIGN_OR_RETURN(const std::string path, LockPath());
  for (;;) {
    Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock) return absl::ErrnoToStatus(errno, absl::StrCat("open ", path));
    if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0)
      SRCSEL_RETURN_IF_ERROR(RemoveOwnRules(RuleOwner::kRun));
    if (flock(lock.get(), LOCK_SH) != 0 && errno != EINTR)
      return absl::ErrnoToStatus(errno, absl::StrCat("lock ", path));
    // Who left last may have removed it meanwhile.
    if (IsNamed(AT_FDCWD, path, lock)) return lock;
  }
}

void LeaveSteeringRuns(Fd membership) {
  if (!membership || flock(membership.get(), LOCK_EX | LOCK_NB) != 0) return;
  RemoveOwnRules(RuleOwner::kRun).IgnoreError();
  if (const absl::StatusOr<std::string> path = LockPath(); path.ok()) unlink(path->c_str());
}

}  // namespace srcsel
