#include "agent/uplink.hh"

#include <linux/if.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/iproute_names.hh"

namespace srcsel {
const Link *LinkOf(const State &state, std::uint32_t index) {
  const auto found = std::ranges::find(state.links, index, &Link::index);
  return found == state.links.end() ? nullptr : &*found;
}

bool Uplink::Has(std::uint32_t device) const {
  return std::ranges::find(devices, device) != devices.end();
}

std::string Uplink::Names(const State &state) const {
  return absl::StrJoin(devices, " or ", [&](std::string *out, std::uint32_t index) {
    *out += DeviceName(state, index);
  });
}

Uplink UplinkOf(const IpAddress &address, const State &state) {
  Uplink uplink{address, {}};
  for (const InterfaceAddress &own : state.addresses) {
    if (own.local != address) continue;
    const Link *link = LinkOf(state, own.ifindex);
    if (link != nullptr && !(link->flags & IFF_LOOPBACK)) uplink.devices.push_back(own.ifindex);
  }
  return uplink;
}

std::string DeviceName(const State &state, std::uint32_t index) {
  const Link *link = LinkOf(state, index);
  return link == nullptr ? absl::StrCat("interface ", index) : link->name;
}

std::string TableName(std::uint32_t table) {
  static const IprouteNames names = IprouteNames::Tables();
  const std::string name = names.NameOf(table);
  return name.empty() ? absl::StrCat(table) : name;
}

}  // namespace srcsel
