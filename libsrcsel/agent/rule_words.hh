// ip rules, protocols and types of routes in the words of iproute2.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "state/rule.hh"
#include "state/state.hh"

namespace srcsel {

// "from all fwmark 0x64 lookup 100", as `ip rule` prints it behind the preference.
std::string RuleWords(const Rule &rule);

// Of the rule of that number among those of a family (RuleStep). Of a rule that the kernel starts
// with and that is not in the state, a sentence.
std::string RuleWords(const State &state, int family, std::size_t index, std::uint32_t pref);

// "tcp", "udp", "icmp", "ipv6-icmp", or the number.
std::string ProtocolName(int proto);

// "unicast", "blackhole", ...
std::string RouteTypeWord(std::uint8_t type);

}  // namespace srcsel
