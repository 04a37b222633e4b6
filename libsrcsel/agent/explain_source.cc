#include "agent/explain_source.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/uplink.hh"
#include "lookup/rank_sources6.hh"

namespace srcsel {
namespace {

SourceReason Ranked(const Snapshot &snapshot, const Flow &flow, const Outcome &outcome) {
  const std::vector<RankedSource> ranked =
      RankSources6(snapshot, flow.destination, outcome.oif, flow.prefer);
  const auto chosen = std::ranges::find(ranked, outcome.source, &RankedSource::address);
  if (chosen == ranked.end()) return {"rfc6724", "chosen among this host's addresses by RFC 6724"};
  const auto next = chosen + 1;
  if (next == ranked.end())
    return {"only", "the route names none, and no other address is a candidate"};
  return {"rfc6724", absl::StrCat("the route names none, and before ", next->address.ToString(),
                                  ", the next candidate, it is by ", WhyBefore(*chosen, *next))};
}

// In the kernel's list, the first of the device that fits.
SourceReason OfDevice(const State &state, const Outcome &outcome) {
  const std::string device = DeviceName(state, outcome.oif);
  const InterfaceAddress *lender = nullptr;
  for (const InterfaceAddress &own : state.addresses)
    if (own.local == outcome.source && (lender == nullptr || own.ifindex == outcome.oif))
      lender = &own;
  if (lender == nullptr) return {"no-address", "this host has no address to send from"};
  if (lender->ifindex != outcome.oif)
    return {"other-device",
            absl::StrCat("the route names none and ", device, " has no address to lend: it is ",
                         DeviceName(state, lender->ifindex), "'s")};
  if (outcome.gateway && lender->subnet.Contains(*outcome.gateway))
    return {"subnet", absl::StrCat("the route names none: it is the first address of ", device,
                                   " whose subnet (", lender->subnet.Network().ToString(),
                                   ") has the gateway ", outcome.gateway->ToString())};
  return {"first",
          absl::StrCat("the route names none: it is the first address of ", device,
                       outcome.gateway ? ", as the gateway is in none of its subnets" : "")};
}

}  // namespace

SourceReason WhySource(const Snapshot &snapshot, const Flow &flow, const Outcome &outcome,
                       std::optional<std::uint32_t> terms) {
  const State &state = snapshot.state();
  if (terms && state.routes.terms()[*terms].prefsrc == outcome.source)
    return {"prefsrc", "the route names it (src)"};
  if (outcome.type == RTN_LOCAL && outcome.source == flow.destination)
    return {"destination", "the destination is this host's own, and its own source"};
  return outcome.source.is_v4() ? OfDevice(state, outcome) : Ranked(snapshot, flow, outcome);
}

}  // namespace srcsel
