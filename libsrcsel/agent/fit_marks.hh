// The firewall's rules behind those of a file, as far as one image holds them.
//
// An image tells flows apart by SRCSEL_MAX_DIMENSIONS properties (each level of cgroups and each
// mask of marks is one) and by SRCSEL_CGROUPS levels of cgroups. Kept are the properties that the
// file's rules select by, then those that most of the firewall's do. A rule that selects by another
// one is not understood: all that it may hold for is left to the kernel, by a rule that says so.
//
// Pure. Cost: linear in the rules.

#pragma once

#include <cstddef>

#include "netfilter/compile_marks.hh"
#include "policy/policy.hh"

namespace srcsel {

// How many of the firewall's rules there is room for: each takes a row (image/policy_rows.hh), one
// of the file's may take several. 0 also where the file alone does not fit.
std::size_t RoomBehind(const Policy &file);

void FitBehind(const Policy &file, MarkPolicy &marks);

}  // namespace srcsel
