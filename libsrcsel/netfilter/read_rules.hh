// All netfilter rules of the calling thread's network namespace that a packet of this host's own
// may pass: nft's, and those of iptables in both its variants.
//
// Contract: changes nothing. A table that iptables keeps in nft's place is read once, from
// iptables-save. What cannot be read is among the skipped, and, where there is something that it
// may say about marks, makes flows unknown; no iptables, or none of its tables, is nothing to be
// said. Cost: one or two runs of iptables-save for each family that has tables of iptables, 5 ms
// each.

#pragma once

#include "netfilter/rule_set.hh"

namespace srcsel {

NfRuleSet ReadRules();

}  // namespace srcsel
