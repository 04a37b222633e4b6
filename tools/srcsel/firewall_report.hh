// What was understood of a host's firewall, for people: each rule that marks what the host sends,
// with the mark, the table it leads to and the source; then what was not, and which NAT is of no
// use any more. Empty if the firewall says nothing of the kind.

#pragma once

#include <string>

#include "agent/host_marks.hh"
#include "state/state.hh"

namespace srcsel {

std::string FirewallReport(const HostMarks &marks, const State &state);

}  // namespace srcsel
