// A class of flows: those whose properties are all in given sets. What a rule of a policy can say.
//
// Pure. Cost: linear in the sets.

#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "netfilter/rule_set.hh"

namespace srcsel {

// The mark of a flow, computed from the one that its socket has: (SO_MARK AND mask) XOR constant.
struct NfMark {
  std::uint32_t mask = 0, constant = 0;
  friend bool operator==(const NfMark &, const NfMark &) = default;
};

// What is not set holds for all flows.
struct Condition {
  NfPrefixes to;  // of one family, and never null: AllOf() it, to begin with
  std::optional<NfNumbers> protos, dports, uids, gids, classids;
  std::optional<Cgroup> cgroup;
  Mark mark{0, 0};  // SO_MARK AND mask == value

  // The mark as far as the condition does not say already what it is.
  NfMark Reduced(const NfMark &mark) const;
};

// What a test leaves of a condition.
enum class Narrowing { kNothing, kSome, kAll };

// Narrows the condition; after kNothing it is not to be used.
Narrowing Narrow(Condition &condition, const NfPrefixes &destinations);
Narrowing Narrow(std::optional<NfNumbers> &selector, const NfNumbers &numbers);
Narrowing Narrow(Condition &condition, const Cgroup &cgroup);
// By a mark that was computed from SO_MARK: computed AND test.mask == test.value.
Narrowing Narrow(Condition &condition, const NfMark &computed, const Mark &test);

// The flows of both; nothing if there are none.
std::optional<Condition> Intersection(const Condition &a, const Condition &b);
// Whether all flows of `narrow` are in `wide`.
bool Covers(const Condition &wide, const Condition &narrow);

}  // namespace srcsel
