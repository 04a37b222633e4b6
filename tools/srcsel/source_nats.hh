// Which MASQUERADE and SNAT rules are of no use any more where sources are chosen at the socket.
// They are the user's to remove.

#pragma once

#include <string>
#include <vector>

#include "netfilter/rule_set.hh"

namespace srcsel {

struct SourceNats {
  std::vector<std::string> needless;    // this host forwards nothing of their family
  std::vector<std::string> forwarding;  // needed for what it forwards
};

// Reads the forwarding sysctls of the calling thread's namespace.
SourceNats SortSourceNats(const NfRuleSet &rules);

}  // namespace srcsel
