// Vectors of policy rules, interned, with unions remembered: of the many prefixes of a set, all but
// the first cost one look into a table.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include <srcsel/abi.h>

namespace srcsel {

class VectorUnions {
 public:
  using Number = std::uint32_t;

  Number Intern(const srcsel_vector &vector);
  Number Union(Number a, Number b);
  const srcsel_vector &at(Number number) const { return vectors_[number]; }

 private:
  std::vector<srcsel_vector> vectors_;
  absl::flat_hash_map<std::string, Number> by_content_;
  absl::flat_hash_map<std::pair<Number, Number>, Number> unions_;
};

}  // namespace srcsel
