// All that one network namespace's routing depends on, as plain values read at one moment.

#pragma once

#include <cstdint>
#include <vector>

#include "state/interface_address.hh"
#include "state/link.hh"
#include "state/route.hh"
#include "state/rule.hh"

namespace srcsel {

struct State {
  std::uint64_t netns = 0;  // SO_NETNS_COOKIE
  std::vector<Link> links;
  std::vector<InterfaceAddress> addresses;  // IPv4 and IPv6, dump order within each
  std::vector<Rule> rules;                  // IPv4 and IPv6, evaluation order within each
  std::vector<Route> routes;                // all tables, IPv4 and IPv6, dump order within each
};

}  // namespace srcsel
