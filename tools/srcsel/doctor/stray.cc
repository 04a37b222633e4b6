#include "srcsel/doctor/stray.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "agent/steering_commands.hh"
#include "agent/way.hh"
#include "base/status.hh"
#include "lookup/snapshot.hh"
#include "policy/policy.hh"

namespace srcsel {
namespace {

std::set<std::uint32_t> UplinkDevices(const State &state, int family) {
  std::set<std::uint32_t> devices;
  for (const Routes::Entry &route : state.routes.entries()) {
    if (route.dst != Prefix::Default(family)) continue;
    const RouteTerms &terms = state.routes.TermsOf(route);
    if (terms.type != RTN_UNICAST) continue;
    for (const Nexthop &nexthop : terms.nexthops) devices.insert(nexthop.oif);
  }
  return devices;
}

bool LastsAndIsGlobal(const InterfaceAddress &address) {
  const bool temporary = !address.local.is_v4() && (address.flags & IFA_F_TEMPORARY) != 0;
  return address.scope == RT_SCOPE_UNIVERSE && !temporary;
}

std::vector<Way> WaysOfUplinks(const State &state, int family) {
  std::vector<Way> ways;
  const std::set<std::uint32_t> uplinks = UplinkDevices(state, family);
  if (uplinks.size() < 2) return ways;
  for (const InterfaceAddress &address : state.addresses) {
    if (address.local.family() != family || !LastsAndIsGlobal(address) ||
        !uplinks.contains(address.ifindex))
      continue;
    PolicyRule bound;
    bound.sources = {address.local};
    for (Way &way : WaysOf(bound, state)) ways.push_back(std::move(way));
  }
  return ways;
}

}  // namespace

absl::StatusOr<std::vector<Stray>> FindStrays(const State &state) {
  std::vector<Stray> strays;
  std::unique_ptr<const Snapshot> snapshot;
  for (const int family : {AF_INET, AF_INET6})
    for (const Way &way : WaysOfUplinks(state, family)) {
      if (!snapshot) {
        SRCSEL_ASSIGN_OR_RETURN(snapshot, Snapshot::Make(state, 1));
      }
      const auto astray = FirstAstray(way, kNoMark, *snapshot);
      if (!astray) continue;
      SRCSEL_ASSIGN_OR_RETURN(Commands commands, CommandsThatSteer(way, state));
      strays.push_back({way.uplink.address, way.uplink.devices, Describe(way, *astray, state),
                        std::move(commands)});
    }
  return strays;
}

}  // namespace srcsel
