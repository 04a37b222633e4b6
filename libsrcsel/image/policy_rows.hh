// A policy as the image can hold it: rules whose cgroups or marks differ in kind are taken apart.
//
// The image compares one ancestor of the caller's cgroup, or the mark under one mask, per
// dimension, and all dimensions must agree. A rule for cgroups of two levels, or for marks under
// two masks, is therefore two rows, one after the other. Nearly all rules are one.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/policy.hh"
#include <srcsel/abi.h>

namespace srcsel {

// What rules select by: a dimension of the image.
struct Selector {
  srcsel_property property;
  std::uint32_t argument = 0;  // SRCSEL_BY_CGROUP: the level; SRCSEL_BY_MARK: the mask
  auto operator<=>(const Selector &) const = default;
};
std::set<Selector> SelectorsOf(const PolicyRule &rule);

struct PolicyRow {
  PolicyRule rule;   // its cgroups are of one level, its marks under one mask
  std::uint32_t id;  // number of the rule in the policy
  std::set<Selector> selectors;
};

struct PolicyRows {
  std::vector<PolicyRow> rows;
  std::array<std::uint32_t, SRCSEL_CGROUPS> levels;  // SRCSEL_NONE: not used
  std::vector<std::uint32_t> mark_masks;

  // Place of a level in `levels`.
  std::uint32_t PlaceOf(std::uint32_t level) const;
};

// The family that the rule holds for where it asks for no destination but that it is of this one:
// AF_INET, AF_INET6, or 0.
int OnlyFamily(const PolicyRule &rule);

// Fails if that takes more than SRCSEL_MAX_POLICY rows, SRCSEL_CGROUPS levels, or together more
// than SRCSEL_MAX_DIMENSIONS selectors.
absl::StatusOr<PolicyRows> TakeApart(const Policy &policy);

}  // namespace srcsel
