// The rows of a table as flows bound to a device see them.
//
// Cost: linear in the rows, times the devices for what forbids.

#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "image/paths.hh"
#include "image/prefix_rows.hh"

namespace srcsel {

// For each device that a route of the table leaves by, and SRCSEL_NONE for all others: the prefixes
// that can mean something to its flows, with all their rows. Routes that forbid, which have no
// path, mean something to all, and so do those of IPv6 tables with routes for certain sources, and
// those of a nexthop object around whose prefix is another with the same address. Ordered as `rows`
// are; `paths` are by terms.
std::map<std::uint32_t, std::vector<PrefixRow>> RowsByDevice(std::span<const PrefixRow> rows,
                                                             std::span<const Paths> paths);

}  // namespace srcsel
