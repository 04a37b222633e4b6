// Routes of all tables -> tries, and chains of the routes that lookups may end in.
//
// What does not depend on the flow is settled here, once, instead of at every lookup: dead and
// expired routes drop out, metrics and router preferences become an order, sources are worked out,
// gateways known to be unreachable go last. Where the kernel would choose among paths by something
// a lookup cannot see (a multipath hash, the memory of the default rotation) and their sources
// differ, the route is marked SRCSEL_ROUTE_AMBIGUOUS.
//
// Cost: routes in the kernel's dump order are not sorted again; a prefix with one route costs two
// table lookups besides its place in the trie.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "image/paths.hh"
#include "image/trie.hh"
#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

// What srcsel_route.detail counts in. Only for who explains or chooses among paths.
struct RouteDetails {
  std::vector<Paths> paths;                           // by the number of terms in state.routes
  std::vector<std::vector<std::uint32_t>> rotations;  // terms of defaults that take turns
};

struct CompiledTables {
  std::vector<srcsel_table> tables;
  std::vector<srcsel_route> routes;
  std::vector<srcsel_match> froms;
  TrieWriter tries;
  RouteDetails details;
  srcsel_local_places local_places[SRCSEL_FAMILIES]{};

  // Index of a table, SRCSEL_NONE if it has no routes.
  std::uint32_t Find(srcsel_family family, std::uint32_t id) const;
};

// Until the first change of its IPv4 rules a namespace has local and main in one trie. Rules that
// look untouched may have been changed and changed back: nobody can tell.
bool MayBeMerged(const State &state);

// With `by_device`, each table is there once more for flows bound to each of its devices. Fails
// only if the namespace has more than SRCSEL_MAX_ROUTES distinct results.
absl::StatusOr<CompiledTables> CompileTables(const State &state, bool by_device = false);

}  // namespace srcsel
