// ip rules of one family -> rules of the image.

#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "image/compile_tables.hh"
#include "state/state.hh"
#include <srcsel/abi.h>

namespace srcsel {

// Interface names are resolved here: a change of links needs a new image. Fails only if there are
// more than SRCSEL_MAX_RULES rules.
absl::StatusOr<std::vector<srcsel_rule>> CompileRules(const State &state, srcsel_family family,
                                                      const CompiledTables &tables);

}  // namespace srcsel
