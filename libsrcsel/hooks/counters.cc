#include "hooks/counters.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <numeric>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel {
namespace {

// The program's counters map, or nothing if the program is not ours.
Fd CountersOf(__u32 program_id) {
  const Fd program(bpf_prog_get_fd_by_id(program_id));
  std::array<__u32, 16> maps{};
  bpf_prog_info info{};
  info.nr_map_ids = maps.size();
  info.map_ids = reinterpret_cast<__u64>(maps.data());
  __u32 size = sizeof(info);
  if (!program || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0) return Fd();
  for (__u32 i = 0; i < info.nr_map_ids && i < maps.size(); ++i) {
    Fd map(bpf_map_get_fd_by_id(maps[i]));
    bpf_map_info map_info{};
    size = sizeof(map_info);
    if (map && bpf_obj_get_info_by_fd(map.get(), &map_info, &size) == 0 &&
        std::string_view(map_info.name) == "srcsel_counters")
      return map;
  }
  return Fd();
}

}  // namespace

absl::Status AddCounters(const Fd &map, Counters &counters) {
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  for (__u32 reason = 0; reason < counters.size(); ++reason) {
    if (bpf_map_lookup_elem(map.get(), &reason, per_cpu.data()) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("read counter ", reason));
    counters[reason] = std::accumulate(per_cpu.begin(), per_cpu.end(), counters[reason]);
  }
  return absl::OkStatus();
}

absl::StatusOr<Counters> ReadCounters(const Fd &cgroup) {
  std::array<__u32, 64> programs{};
  __u32 count = programs.size();
  if (bpf_prog_query(cgroup.get(), BPF_CGROUP_INET4_CONNECT, 0, nullptr, programs.data(), &count) !=
      0)
    return absl::ErrnoToStatus(errno, "list the programs of the cgroup");
  Counters counters{};
  bool found = false;
  for (__u32 i = 0; i < count; ++i) {
    const Fd map = CountersOf(programs[i]);
    if (!map) continue;
    SRCSEL_RETURN_IF_ERROR(AddCounters(map, counters));
    found = true;
  }
  if (!found) return absl::NotFoundError("no programs of srcsel on the cgroup");
  return counters;
}

}  // namespace srcsel
