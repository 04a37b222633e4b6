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

bool IsOwn(const Rule &rule) {
  return IsOf(rule, RuleOwner::kUp) || IsOf(rule, RuleOwner::kRun);
}

bool AreAlike(const Rule &a, const Rule &b) {
  return a.pref == b.pref && a.from == b.from && a.table == b.table;
}

bool HasInPlace(const std::vector<Rule> &rules, const Rule &wanted, RuleOwner owner) {
  const auto own = std::ranges::find_if(
      rules, [&](const Rule &rule) { return IsOf(rule, owner) && AreAlike(rule, wanted); });
  return own != rules.end() && std::none_of(own, rules.end(), [&](const Rule &behind) {
           return behind.family == wanted.family && behind.pref == wanted.pref && !IsOwn(behind);
         });
}

absl::Status RemoveAllBut(const std::vector<Rule> &wanted, RuleOwner owner) {
  SRCSEL_ASSIGN_OR_RETURN(RuleChanger changer, RuleChanger::Open());
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<Rule> present, changer.List());
  const auto is_wanted = [&](const Rule &rule) {
    return std::ranges::any_of(wanted, [&](const Rule &one) { return AreAlike(rule, one); });
  };
  for (const Rule &rule : present)
    if (IsOf(rule, owner) && !is_wanted(rule)) SRCSEL_RETURN_IF_ERROR(changer.Remove(rule));
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

void DropOwnRules(std::vector<Rule> &rules) {
  std::erase_if(rules, IsOwn);
}

bool HasAll(const std::vector<Rule> &rules, const std::vector<Rule> &wanted, RuleOwner owner) {
  const bool all =
      std::ranges::all_of(wanted, [&](const Rule &rule) { return HasInPlace(rules, rule, owner); });
  const auto own =
      std::ranges::count_if(rules, [&](const Rule &rule) { return IsOf(rule, owner); });
  return all && (owner == RuleOwner::kRun || static_cast<std::size_t>(own) == wanted.size());
}

absl::Status AddOwnRules(const std::vector<Rule> &wanted, RuleOwner owner) {
  SRCSEL_ASSIGN_OR_RETURN(RuleChanger changer, RuleChanger::Open());
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<Rule> present, changer.List());
  for (Rule rule : wanted) {
    if (HasInPlace(present, rule, owner)) continue;
    rule.protocol = static_cast<std::uint8_t>(owner);
    SRCSEL_RETURN_IF_ERROR(changer.Remove(rule));
    SRCSEL_RETURN_IF_ERROR(changer.Add(rule));
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
