// All that one network namespace's routing depends on, as plain values read at one moment.

#pragma once

#include <cstdint>
#include <vector>

#include "state/address_label.hh"
#include "state/interface_address.hh"
#include "state/link.hh"
#include "state/neighbour.hh"
#include "state/nexthop_object.hh"
#include "state/routes.hh"
#include "state/rule.hh"
#include "state/settings.hh"

namespace srcsel {

struct State {
  std::uint64_t netns = 0;  // SO_NETNS_COOKIE
  Settings settings;
  std::vector<Link> links;
  // Indexes of links in the order in which they were registered: the kernel goes by it where any
  // interface may lend an address. Right for any two that have an address of the same family; a
  // link whose place is unknown is missing.
  std::vector<std::uint32_t> device_order;
  std::vector<InterfaceAddress> addresses;  // IPv4 and IPv6, dump order within each
  std::vector<AddressLabel> labels;         // table order
  std::vector<Rule> rules;                  // IPv4 and IPv6, evaluation order within each
  Routes routes;                            // all tables, IPv4 and IPv6, dump order within each
  std::vector<NexthopObject> nexthops;
  std::vector<Neighbour> neighbours;
};

}  // namespace srcsel
