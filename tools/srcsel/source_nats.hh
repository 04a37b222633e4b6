// Which MASQUERADE and SNAT rules are of no use any more where sources are chosen at the socket.
// They are the user's to remove.

#pragma once

#include <string>
#include <vector>

#include "netfilter/rule_set.hh"

namespace srcsel {

struct SourceNats {
  std::vector<NfSourceNat> needless;    // this host forwards nothing of their family
  std::vector<NfSourceNat> forwarding;  // needed for what it forwards
};

std::vector<std::string> NamesOf(const std::vector<NfSourceNat> &nats);

// Reads the forwarding sysctls of the calling thread's namespace.
SourceNats SortSourceNats(const NfRuleSet &rules);

}  // namespace srcsel
