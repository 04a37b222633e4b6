// The order in which a network namespace's devices were registered, as far as any file shows it.
//
// The kernel goes by that order where any device may lend an address; dumps are in the order of
// indexes instead. Two listings show it:
// - /proc/net/igmp6: all devices with IPv6, up or down, with or without an address;
// - SIOCGIFCONF: all devices with an IPv4 address.
// So any two devices that could lend an address of the same family stand in their order. Of two
// devices that share no listing the order is unknown, and they may stand either way round: one has
// no IPv6 at all and the other no IPv4 address, so that nothing is ever chosen between them. A
// device in neither listing is left out.
//
// SIOCGIFCONF names an address's label, not its device. Without IPv6, a label made to look like
// another device's name puts that device in the wrong place.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "netlink/netns_files.hh"
#include "state/link.hh"

namespace srcsel {

// Indexes of links.
std::vector<std::uint32_t> ReadDeviceOrder(const NetnsFiles &files, absl::Span<const Link> links);

// An order of all that is in either, the first's throughout and the second's where the two agree.
// Each holds nothing twice.
std::vector<std::uint32_t> MergeOrders(absl::Span<const std::uint32_t> first,
                                       absl::Span<const std::uint32_t> second);

}  // namespace srcsel
