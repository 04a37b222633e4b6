#include "image/source4.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <utility>

namespace srcsel {
namespace {

bool IsPrimary4(const InterfaceAddress &a) {
  return a.local.is_v4() && !(a.flags & IFA_F_SECONDARY);
}

// The first four bytes, if they say anything.
std::optional<IpAddress> HintOf(const std::optional<IpAddress> &gateway) {
  if (!gateway) return std::nullopt;
  const IpAddress hint = IpAddress::FromBytes(AF_INET, gateway->bytes().data());
  if (hint.IsUnspecified()) return std::nullopt;
  return hint;
}

// Of the device's eligible addresses those that have the hint in their subnet, or all.
std::vector<IpAddress> OfDevice(const State &state, std::uint32_t ifindex,
                                const std::optional<IpAddress> &hint, std::uint8_t scope) {
  const auto link = std::ranges::find(state.links, ifindex, &Link::index);
  const bool localnet =
      state.settings.route_localnet_all || (link != state.links.end() && link->route_localnet);
  const std::uint8_t widest_host = localnet ? RT_SCOPE_LINK : RT_SCOPE_HOST;
  std::vector<IpAddress> eligible, near;
  for (const InterfaceAddress &a : state.addresses) {
    if (a.ifindex != ifindex || !IsPrimary4(a)) continue;
    if (std::min(a.scope, widest_host) > scope) continue;
    eligible.push_back(a.local);
    if (hint && a.subnet.Contains(*hint)) near.push_back(a.local);
  }
  return near.empty() ? eligible : near;
}

std::optional<IpAddress> Lent(const State &state, std::uint32_t ifindex, std::uint8_t scope) {
  for (const InterfaceAddress &a : state.addresses)
    if (a.ifindex == ifindex && IsPrimary4(a) && a.scope != RT_SCOPE_LINK && a.scope <= scope)
      return a.local;
  return std::nullopt;
}

Source4 OfAnyDevice(const State &state, std::uint8_t scope) {
  std::vector<IpAddress> possible;
  const auto known = [&](std::uint32_t ifindex) {
    return std::ranges::find(state.device_order, ifindex) != state.device_order.end();
  };
  for (const Link &link : state.links)
    if (const auto address = Lent(state, link.index, scope); address && !known(link.index))
      possible.push_back(*address);
  for (const std::uint32_t ifindex : state.device_order)
    if (const auto address = Lent(state, ifindex, scope)) {
      possible.push_back(*address);
      break;
    }
  if (possible.empty()) return {};
  const IpAddress first = possible.front();
  possible.erase(possible.begin());
  return {first, std::move(possible)};
}

}  // namespace

Source4 SelectSource4(const State &state, std::uint32_t ifindex,
                      const std::optional<IpAddress> &gateway, std::uint8_t scope) {
  const auto own = OfDevice(state, ifindex, HintOf(gateway), scope);
  if (!own.empty()) return {own.front()};
  return OfAnyDevice(state, scope);
}

std::vector<IpAddress> KeptSources4(const State &state, const Nexthop &hop, std::uint8_t scope,
                                    const std::optional<IpAddress> &prefsrc) {
  std::vector<IpAddress> kept = OfDevice(state, hop.oif, std::nullopt, scope);
  if (kept.empty() || hop.flags & RTNH_F_ONLINK)
    for (const Link &link : state.links)
      if (const auto address = Lent(state, link.index, scope)) kept.push_back(*address);
  if (kept.empty()) kept.emplace_back();
  if (prefsrc && std::ranges::find(state.addresses, prefsrc, &InterfaceAddress::local) ==
                     state.addresses.end())
    kept.push_back(*prefsrc);
  return kept;
}

}  // namespace srcsel
