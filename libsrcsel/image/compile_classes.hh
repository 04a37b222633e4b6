// The selectors of a policy -> dimensions and vectors of the image (<srcsel/abi.h>, enum
// srcsel_property).
//
// Every selector is reduced to prefixes of its property's key: a port range to at most 30 of them,
// a uid to one. Each dimension is then one trie, in which a prefix carries the rules that name it
// and those that name a prefix around it.
//
// Cost: sorting the prefixes, unless they are; then a look into a hash table for each. Equal
// vectors are stored once.

#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "image/policy_rows.hh"
#include "image/trie.hh"
#include <srcsel/abi.h>

namespace srcsel {

struct CompiledClasses {
  std::vector<srcsel_vector> vectors;
  srcsel_dimensions dimensions[SRCSEL_FAMILIES]{};
};

// Adds to `tries`. Fails if the combinations of the rules need more than 65,536
// vectors.
absl::StatusOr<CompiledClasses> CompileClasses(const PolicyRows &policy, TrieWriter &tries);

}  // namespace srcsel
