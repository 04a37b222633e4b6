#include "image/source4.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>

namespace srcsel {

std::optional<IpAddress> SelectSource4(const State &state, std::uint32_t ifindex,
                                       const std::optional<IpAddress> &gateway,
                                       std::uint8_t scope) {
  const auto link = std::ranges::find(state.links, ifindex, &Link::index);
  const std::uint8_t widest_host = link != state.links.end() && link->route_localnet
                                       ? std::uint8_t{RT_SCOPE_LINK}
                                       : std::uint8_t{RT_SCOPE_HOST};
  std::optional<IpAddress> first;
  for (const InterfaceAddress &a : state.addresses) {
    if (a.ifindex != ifindex || !a.local.is_v4() || a.flags & IFA_F_SECONDARY) continue;
    if (std::min(a.scope, widest_host) > scope) continue;
    if (!gateway || !gateway->is_v4() || a.subnet.Contains(*gateway)) return a.local;
    if (!first) first = a.local;
  }
  return first;
}

}  // namespace srcsel
