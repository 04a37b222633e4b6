#include "lookup/shortcuts.hh"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <span>

#include "lookup/engine.hh"

namespace srcsel {
namespace {

constexpr std::size_t kSlots = std::size_t{1} << SRCSEL_JUMP_BITS;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
// Nodes behind the fan that make huge pages worth it: as much of the slots is written at least.
constexpr std::ptrdiff_t kHugeFrom = SRCSEL_FAN_SLOTS / 4;

bool IsLeaf(std::uint32_t slot) {
  return slot & SRCSEL_LEAF;
}

std::uint16_t SlotOf(std::uint32_t slot, std::uint16_t /*routes*/) {
  return IsLeaf(slot) ? static_cast<std::uint16_t>(slot) : std::uint16_t{0};
}
std::uint32_t SlotOf(std::uint32_t slot, std::uint32_t /*slots*/) {
  return slot;
}

using Fan = std::span<const std::uint32_t>;

Fan FanOf(const Image &image, std::uint32_t first) {
  return image.Section<std::uint32_t>(image.header().fans).subspan(first, SRCSEL_FAN_SLOTS);
}

std::ptrdiff_t NodesOf(const Fan &fan) {
  return std::ranges::count_if(fan, [](std::uint32_t slot) { return !IsLeaf(slot); });
}

// The fan of the family's largest table; SRCSEL_NONE if none has one.
std::uint32_t LargestFan(const Image &image, srcsel_family family) {
  std::uint32_t largest = SRCSEL_NONE;
  std::ptrdiff_t most = 0;
  for (const srcsel_table &table : image.Section<srcsel_table>(image.header().tables)) {
    if (table.family != family || table.oif != 0 || table.trie.fan == SRCSEL_NONE) continue;
    const std::ptrdiff_t nodes = NodesOf(FanOf(image, table.trie.fan));
    if (nodes <= most) continue;
    most = nodes;
    largest = table.trie.fan;
  }
  return largest;
}

}  // namespace

void Shortcuts::Unmap::operator()(void *memory) const {
  munmap(memory, size);
}

Shortcuts::Shortcuts(const Image &image) {
  shortcuts_.routes = Fill<std::uint16_t>(image, SRCSEL_V4);
  shortcuts_.slots = Fill<std::uint32_t>(image, SRCSEL_V6);
}

template <typename Slot>
const Slot *Shortcuts::Fill(const Image &image, srcsel_family family) {
  const std::uint32_t first = LargestFan(image, family);
  if (first == SRCSEL_NONE) return nullptr;
  const Fan fan = FanOf(image, first);
  const std::size_t size = kSlots * sizeof(Slot) + kHugePage;
  void *const mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  memory_[family] = Memory(mapped, {size});
  const auto begin = (reinterpret_cast<std::uintptr_t>(mapped) + kHugePage - 1) & -kHugePage;
  auto *const slots = reinterpret_cast<Slot *>(begin);
  if (NodesOf(fan) >= kHugeFrom) madvise(slots, kSlots * sizeof(Slot), MADV_HUGEPAGE);

  const srcsel_memory memory = image.memory();
  for (std::size_t i = 0; i < fan.size(); ++i) {
    if (IsLeaf(fan[i])) continue;
    const NodeSlots children = DescendFrom(&memory, image.header(), fan[i]);
    for (std::size_t j = 0; j < children.size(); ++j) {
      Slot *const below = slots + (i * children.size() + j) * children.size();
      if (IsLeaf(children[j])) {
        std::fill_n(below, children.size(), SlotOf(children[j], Slot()));
        continue;
      }
      std::ranges::transform(DescendFrom(&memory, image.header(), children[j]), below,
                             [](std::uint32_t slot) { return SlotOf(slot, Slot()); });
    }
  }
  shortcuts_.fan[family] = first;
  return slots;
}

srcsel_memory Shortcuts::Into(const Image &image) const {
  srcsel_memory memory = image.memory();
  memory.shortcuts = &shortcuts_;
  return memory;
}

}  // namespace srcsel
