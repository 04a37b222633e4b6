#include "hooks/kept_counts.hh"

#include <algorithm>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "srcsel.skel.h"

namespace srcsel {
namespace {

// The variables of the programs, as the skeleton lays them out.
using Switches = std::remove_pointer_t<decltype(srcsel_bpf::bss)>;

absl::StatusOr<Fd> OpenMap(const Pins &pins, const char *name) {
  Fd map = pins.Map(name);
  if (!map) return absl::ErrnoToStatus(errno, absl::StrCat("open the pinned map ", name));
  return map;
}

absl::Status AddTallies(const Fd &map, const KeptImage &image, std::vector<srcsel_tally> &rules) {
  std::vector<srcsel_tally> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  __u32 row = 0;
  for (const srcsel_policy &policy : image.policy()) {
    if (bpf_map_lookup_elem(map.get(), &row, per_cpu.data()) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("read the counters of row ", row));
    rules.resize(std::max<std::size_t>(rules.size(), std::size_t{policy.id} + 1));
    for (const srcsel_tally &tally : per_cpu) {
      rules[policy.id].matched += tally.matched;
      rules[policy.id].applied += tally.applied;
      rules[policy.id].failed += tally.failed;
    }
    ++row;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeptCounts> ReadKeptCounts(const Pins &pins, const KeptImage &image) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd counters, OpenMap(pins, "counters"));
  SRCSEL_ASSIGN_OR_RETURN(const Fd tallies, OpenMap(pins, "tallies"));
  KeptCounts counts;
  SRCSEL_RETURN_IF_ERROR(AddCounters(counters, counts.reasons));
  SRCSEL_RETURN_IF_ERROR(AddTallies(tallies, image, counts.rules));
  SRCSEL_ASSIGN_OR_RETURN(counts.dropped, ReadDropped(pins));
  return counts;
}

absl::StatusOr<std::uint64_t> ReadDropped(const Pins &pins) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd switches, OpenMap(pins, "switches"));
  Switches values;
  const __u32 slot = 0;
  if (bpf_map_lookup_elem(switches.get(), &slot, &values) != 0)
    return absl::ErrnoToStatus(errno, "read how many events were dropped");
  return values.srcsel_dropped;
}

}  // namespace srcsel
