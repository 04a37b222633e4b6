// Random flows that meet what a host has: its prefixes, rules, addresses, ports, marks and owners.
//
// Two thirds of the flows aim at one rule, and have what it selects by, or all but one of it; the
// others are drawn from all that any rule selects by. The destination is in the prefix of some
// route, of the table that the rule aimed at names if it can be, or something special.

#pragma once

#include <vector>

#include "differential/draw.hh"
#include "state/state.hh"
#include <srcsel/flow.hh>

namespace srcsel {

class FlowDrawer {
 public:
  // The state must outlive the drawer.
  explicit FlowDrawer(const State &state);

  Flow Next(Draw &draw) const { return Next(draw, draw.Once(2) ? AF_INET : AF_INET6); }
  Flow Next(Draw &draw, int family) const;

 private:
  void DrawTerms(Draw &draw, int family, Flow &flow) const;
  IpAddress DrawDestination(Draw &draw, int family, std::uint32_t table) const;
  IpAddress DrawSource(Draw &draw, int family) const;
  std::uint32_t IndexOf(const std::string &name) const;
  void Aim(Draw &draw, const Rule &rule, Flow &flow) const;

  const State &state_;
  std::vector<const Rule *> rules_[2];
  std::vector<Routes::Entry> routes_[2];
  std::vector<IpAddress> own_[2];
};

}  // namespace srcsel
