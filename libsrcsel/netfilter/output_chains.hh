// The base chains that a packet of this host's own passes, in the kernel's order: by priority; of
// equal ones in a table, the one made last comes first. NAT has a place of its own, whatever its
// chains' priorities.
//
// In which order chains of two tables were made, nobody can see: `tied` says where that may matter.

#pragma once

#include <vector>

#include "netfilter/rule_set.hh"

namespace srcsel {

// Where connection tracking, and NAT, see the packet.
inline constexpr std::int32_t kNfConntrackPriority = -200;
inline constexpr std::int32_t kNfNatPriority = -100;

// nft and iptables allow no deeper nesting of chains.
inline constexpr std::size_t kNfNesting = 128;

// Where a packet is, or returns to.
struct NfPlace {
  const NfChain *chain;
  std::size_t rule;
};

struct NfOutputChain {
  const NfTable *table;
  const NfChain *chain;
  std::int32_t priority;  // the one that counts
  bool tied;              // may come after the next one as well as before it
};

// Chains of the family; the rule set must outlive them.
std::vector<NfOutputChain> OutputChains(const NfRuleSet &rules, int family);

// Says of each chain anew whether it is tied with the next one of the list.
void FindTies(std::vector<NfOutputChain> &chains);

// Whether anything in the chain, or in those it leads to, can change a mark or the way of a packet
// otherwise than by dropping it.
bool HasEffect(const NfTable &table, const NfChain &chain);
// Whether it, or one it leads to, looks at marks; at the device or the source of the first route,
// otherwise than for lo; drops.
bool LooksAtMarks(const NfTable &table, const NfChain &chain);
bool LooksAtWays(const NfTable &table, const NfChain &chain);
bool CanDrop(const NfTable &table, const NfChain &chain);

}  // namespace srcsel
