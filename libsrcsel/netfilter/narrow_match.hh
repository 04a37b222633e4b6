// Which flows of a class a match holds for.
//
// What a hook sees of a flow before its first packet exists can be told apart; the first route's
// device and source as far as the ways are given. What the kernel chooses later (the source port)
// is unknown. A tos is no property of a class of flows: who asks says which ones the packets may
// have, and a part which of these it is for.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netfilter/condition.hh"
#include "netfilter/first_ways.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// The packet's state where the match stands.
struct MatchContext {
  NfMark mark, connection;
  std::uint32_t state;   // NfState
  const NfWays *ways;    // null: unknown
  const NfNumbers *tos;  // those that it may have
};

struct MatchedPart {
  Condition flows;
  std::string unknown =
      {};             // why it is not known whether the match holds for these; empty: it does
  bool aside = true;  // what is unknown does not depend on the packet's mark, way or source
  bool whole = true;  // it is the whole class
  // Set where the match holds, or may hold, for packets of these alone.
  std::optional<NfNumbers> tos = {};
};

// The parts of `from` that any of the boxes holds for, or may hold for: known ones first, then
// those of some tos. A flow may be in several; the first is meant.
std::vector<MatchedPart> Matched(const MatchedPart &from, const std::vector<NfKey> &keys,
                                 const NfBoxes &boxes, const MatchContext &context);
// Those that all of the matches, none of them negated, hold for.
std::vector<MatchedPart> MatchedByAll(const MatchedPart &from,
                                      const std::vector<const NfMatch *> &matches,
                                      const MatchContext &context);

// A match that asks for a connection's mark where there is no connection fails, negated or not.
bool NeverHolds(const NfMatch &match, const MatchContext &context);

}  // namespace srcsel
