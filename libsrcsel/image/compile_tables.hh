// Routes of all tables -> tries and distinct results.
//
// For each prefix the kernel's choice among its routes is made here, once, instead of at every
// lookup: dead and expired routes drop out, the lowest metric wins, the source is worked out. Where
// the kernel would choose among paths by something a lookup cannot see (a multipath hash, the
// neighbours of several defaults, the tos of the flow) and their sources differ, the result is
// marked SRCSEL_ROUTE_AMBIGUOUS.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "image/trie.hh"
#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

struct CompiledTables {
  std::vector<srcsel_table> tables;
  std::vector<srcsel_route> routes;
  TrieWriter tries;

  // Index of a table, SRCSEL_NONE if it has no routes.
  std::uint32_t Find(srcsel_family family, std::uint32_t id) const;
};

// Fails only if the namespace has more than SRCSEL_MAX_ROUTES distinct results.
absl::StatusOr<CompiledTables> CompileTables(const State &state);

}  // namespace srcsel
