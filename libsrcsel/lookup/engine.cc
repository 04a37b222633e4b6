#include "lookup/engine.hh"

// What is called by these is a part of them, and compiled as they are.
#if defined(__x86_64__)
#define SRCSEL_COUNTING [[gnu::flatten, gnu::target("popcnt")]]
#define SRCSEL_COUNTS __builtin_cpu_supports("popcnt")
#else
#define SRCSEL_COUNTING [[gnu::flatten]]
#define SRCSEL_COUNTS true
#endif

namespace srcsel {
namespace {

SRCSEL_COUNTING std::uint32_t FindCounting(srcsel_image image, const srcsel_header &head,
                                           const srcsel_trie &trie, srcsel_key key) {
  return srcsel_find(image, &head, &trie, &key);
}

[[gnu::noinline]] std::uint32_t FindPlain(srcsel_image image, const srcsel_header &head,
                                          const srcsel_trie &trie, srcsel_key key) {
  return srcsel_find(image, &head, &trie, &key);
}

SRCSEL_COUNTING std::uint32_t SearchCounting(srcsel_image image, const srcsel_header &head,
                                             std::uint32_t table, const srcsel_flow &flow) {
  return srcsel_search_one(image, &head, table, &flow);
}

// The engine is asked where something else begins.
SRCSEL_INLINE void DescendInto(srcsel_image image, const srcsel_header &head, std::uint32_t node,
                               NodeSlots &slots) {
  const auto *bits = static_cast<const srcsel_node *>(
      srcsel_object(image, head.nodes.page, node, sizeof(srcsel_node)));
  std::uint32_t run = SRCSEL_LEAF;
  for (std::uint64_t i = 0; i < slots.size(); ++i) {
    slots[i] = run;
    if (bits && !((bits->starts | bits->children) >> i & 1)) continue;
    srcsel_descent descent = {
        image, {i << (64 - SRCSEL_STRIDE), 0}, head.nodes.page, head.leaves.page, node, 0};
    srcsel_descend(0, &descent);
    slots[i] = descent.slot;
    if (descent.slot & SRCSEL_LEAF) run = descent.slot;
  }
}

SRCSEL_COUNTING void DescendCounting(srcsel_image image, const srcsel_header &head,
                                     std::uint32_t node, NodeSlots &slots) {
  DescendInto(image, head, node, slots);
}

SRCSEL_COUNTING void WalkCounting(srcsel_rule_walk &walk, std::uint32_t first) {
  srcsel_walk_from(&walk, first);
}

SRCSEL_COUNTING std::uint32_t Source6Counting(srcsel_image image, const srcsel_header &head,
                                              const srcsel_key &dst, std::uint32_t oif,
                                              std::uint32_t prefer, __u8 *source) {
  return srcsel_source6(image, &head, &dst, oif, prefer, source);
}

}  // namespace

std::uint32_t FindInTable(srcsel_image image, const srcsel_header &head, std::uint32_t table,
                          srcsel_key key) {
  const srcsel_table *const found = srcsel_table_at(image, &head, table);
  if (!found) return 0;
  const srcsel_trie &trie = found->trie;
  const std::uint32_t slot = trie.fan == SRCSEL_NONE ? 0 : srcsel_jump(image, trie.fan, &key);
  if (slot & SRCSEL_LEAF) return slot & ~SRCSEL_LEAF;
  return SRCSEL_COUNTS ? FindCounting(image, head, trie, key) : FindPlain(image, head, trie, key);
}

std::uint32_t SearchTable(srcsel_image image, const srcsel_header &head, std::uint32_t table,
                          const srcsel_flow &flow) {
  if (SRCSEL_COUNTS) return SearchCounting(image, head, table, flow);
  return srcsel_search_one(image, &head, table, &flow);
}

NodeSlots DescendFrom(srcsel_image image, const srcsel_header &head, std::uint32_t node) {
  NodeSlots slots;
  if (SRCSEL_COUNTS)
    DescendCounting(image, head, node, slots);
  else
    DescendInto(image, head, node, slots);
  return slots;
}

void WalkFrom(srcsel_rule_walk &walk, std::uint32_t first) {
  if (SRCSEL_COUNTS) return WalkCounting(walk, first);
  srcsel_walk_from(&walk, first);
}

std::uint32_t FindSource6(srcsel_image image, const srcsel_header &head, const srcsel_key &dst,
                          std::uint32_t oif, std::uint32_t prefer, __u8 (&source)[16]) {
  if (SRCSEL_COUNTS) return Source6Counting(image, head, dst, oif, prefer, source);
  return srcsel_source6(image, &head, &dst, oif, prefer, source);
}

}  // namespace srcsel
