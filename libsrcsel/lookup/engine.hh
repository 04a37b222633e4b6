// The engine's searches, compiled for the CPU at hand.
//
// A trie counts bits at every stride. Plain x86-64 has no instruction for that and calls a function
// instead; nearly every CPU since 2008 has one. Which, is asked at each call: a test of a word that
// libgcc has filled in. Elsewhere the compiler knows.
//
// Pure. Cost: that of the engine, 1 ns more; less where a shortcut ends the search of one table,
// which takes no counting.

#pragma once

#include <array>
#include <cstdint>

#include "engine/rules.h"
#include "engine/source6.h"

namespace srcsel {

// srcsel_find_route().
std::uint32_t FindInTable(srcsel_image image, const srcsel_header &head, std::uint32_t table,
                          srcsel_key key);

// srcsel_search_one().
std::uint32_t SearchTable(srcsel_image image, const srcsel_header &head, std::uint32_t table,
                          const srcsel_flow &flow);

// srcsel_descend(): where each of the node's slots leads.
using NodeSlots = std::array<std::uint32_t, 1 << SRCSEL_STRIDE>;
NodeSlots DescendFrom(srcsel_image image, const srcsel_header &head, std::uint32_t node);

// srcsel_walk_from().
void WalkFrom(srcsel_rule_walk &walk, std::uint32_t first);

// srcsel_source6().
std::uint32_t FindSource6(srcsel_image image, const srcsel_header &head, const srcsel_key &dst,
                          std::uint32_t oif, std::uint32_t prefer, __u8 (&source)[16]);

}  // namespace srcsel
