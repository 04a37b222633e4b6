#include <sys/socket.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/mark_rules.hh"
#include "agent/uplink.hh"
#include "srcsel/doctor/checks.hh"
#include "srcsel/doctor/mark_users.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kAllBits = 0xffffffff;

// A mark that is not a program's: of an ip rule, or of what is up.
struct OwnMark {
  Mark mark;
  std::string whose;  // "ip rule 100"
  std::string remedy = {};
};

constexpr std::uint32_t kWish = 100;

// The program's own bits, unless it takes them all.
std::uint32_t BitsOf(const MarkUser &user) {
  return user.mark.mask == kAllBits ? 0 : user.mark.mask;
}

// The rule again, with another mark.
std::string Exchanged(const MarkRule &rule, int family, Mark mark) {
  const std::string ip = family == AF_INET ? "ip rule " : "ip -6 rule ";
  const auto words = [&](Mark said) {
    return absl::StrCat("pref ", rule.pref, " fwmark ", said.ToString(), " lookup ",
                        TableName(rule.table));
  };
  return absl::StrCat(ip, "add ", words(mark), " && ", ip, "del ", words(rule.mark));
}

// One that no rule compares, in bits that nobody uses.
Mark FreeMark(const Facts &facts, const std::vector<MarkUser> &users) {
  std::uint32_t bits = 0;
  for (const MarkUser &user : users) bits |= BitsOf(user);
  return {UnusedMark(facts.network.state, kWish), ~bits};
}

std::vector<OwnMark> OwnMarks(const Facts &facts, const std::vector<MarkUser> &users) {
  std::vector<OwnMark> own;
  const Mark free = FreeMark(facts, users);
  for (const int family : {AF_INET, AF_INET6})
    for (const MarkRule &rule : MarkRules(facts.network.state, family))
      if (!IsOf(users, rule.mark))
        own.push_back({rule.mark,
                       absl::StrCat(family == AF_INET ? "ip rule " : "ip -6 rule ", rule.pref),
                       Exchanged(rule, family, free)});
  for (Mark mark : facts.up.marks)
    if (!IsOf(users, mark)) own.push_back({mark, "the policy that is up"});
  return own;
}

std::string Words(const MarkUser &user) {
  return absl::StrCat(user.name, " (", user.mark.ToString(), ")");
}

}  // namespace

// Where another program sets bits that a rule wants to be 0, the rule holds no more.
Complaints CheckMarkMasks(const Facts &facts) {
  const std::vector<MarkUser> users = MarkUsers(facts.network);
  Complaints found;
  for (const int family : {AF_INET, AF_INET6})
    for (const MarkRule &rule : MarkRules(facts.network.state, family)) {
      if (IsOf(users, rule.mark)) continue;
      std::uint32_t bits = 0;
      std::string whose;
      for (const MarkUser &user : users) {
        const std::uint32_t foreign = BitsOf(user) & rule.mark.mask;
        if (foreign == 0 || (rule.mark.value & BitsOf(user)) != 0) continue;
        bits |= foreign;
        absl::StrAppend(&whose, whose.empty() ? "" : ", ", Words(user));
      }
      if (bits == 0) continue;
      found.push_back({Gravity::kWarning,
                       absl::StrCat(family == AF_INET ? "ip rule " : "ip -6 rule ", rule.pref,
                                    " compares bits of the mark that are used by ", whose,
                                    ": what has both marks is not routed by it"),
                       Exchanged(rule, family, {rule.mark.value, rule.mark.mask & ~bits})});
    }
  return found;
}

Complaints CheckMarkValues(const Facts &facts) {
  const std::vector<MarkUser> users = MarkUsers(facts.network);
  Complaints found;
  std::set<std::string> said;
  for (OwnMark &own : OwnMarks(facts, users))
    for (const MarkUser &user : users) {
      const bool is_selected = (own.mark.AppliedTo(0) & user.mark.mask) == user.mark.value;
      if (!is_selected && (own.mark.value & BitsOf(user)) == 0) continue;
      if (!said.insert(absl::StrCat(own.whose, user.name)).second) continue;
      found.push_back(
          {Gravity::kWarning,
           absl::StrCat("mark ", own.mark.ToString(), " of ", own.whose,
                        is_selected ? " is taken for its own by " : " has bits that are used by ",
                        Words(user), "; one that no rule compares is ",
                        Mark{UnusedMark(facts.network.state, kWish)}.ToString(),
                        ": what sets the one has to set the other"),
           std::exchange(own.remedy, "")});
    }
  return found;
}

}  // namespace srcsel
