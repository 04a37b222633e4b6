// The selectors of a policy -> dimensions and vectors of the image (<srcsel/abi.h>, enum
// srcsel_property).
//
// Every selector is reduced to prefixes of its property's key: a port range to at most 30 of them,
// a uid to one. Each dimension is then one table, in which a prefix carries the rules that name it
// and those that name a prefix around it.
//
// Cost: the number of prefixes times the vector's 256 bytes while it is built; equal vectors are
// stored once.

#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "image/compile_tables.hh"
#include "policy/policy.hh"
#include <srcsel/abi.h>

namespace srcsel {

struct CompiledClasses {
  std::vector<srcsel_vector> vectors;
  srcsel_dimensions dimensions[SRCSEL_FAMILIES]{};
};

// Adds its tables to `tables`. Expects a policy of at most SRCSEL_MAX_POLICY rules; fails if their
// combinations need more than 65,535 vectors.
absl::StatusOr<CompiledClasses> CompileClasses(const Policy &policy, CompiledTables &tables);

}  // namespace srcsel
