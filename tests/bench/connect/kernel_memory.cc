#include "bench/connect/kernel_memory.hh"

#include <fstream>
#include <string>

#include "base/status.hh"

namespace srcsel::bench {
namespace {

double SlabBytes() {
  std::ifstream meminfo("/proc/meminfo");
  std::string key, unit;
  double kib = 0;
  while (meminfo >> key >> kib && std::getline(meminfo, unit))
    if (key == "Slab:") return kib * 1024;
  return 0;
}

}  // namespace

absl::StatusOr<KernelMemory> MeasureMemory(Way way, std::uint32_t count) {
  SRCSEL_ASSIGN_OR_RETURN(Contender contender, Contender::Create(way, Acceptor::Manner::kKeep));
  // The first ones fill what the kernel keeps for each CPU.
  SRCSEL_RETURN_IF_ERROR(contender.Hold(count / 20));
  const double before = SlabBytes();
  SRCSEL_RETURN_IF_ERROR(contender.Hold(count));
  const double grown = SlabBytes() - before;
  SRCSEL_ASSIGN_OR_RETURN(const std::size_t entries, contender.ConntrackEntries());
  return KernelMemory{grown / count, entries};
}

}  // namespace srcsel::bench
