#include "lab/run_neighbour.hh"

#include <bpf/bpf.h>

#include <cerrno>
#include <iterator>

#include "absl/status/status.h"

namespace srcsel::lab {

absl::StatusOr<Neighbour> Neighbour::Load(bpf_attach_type type, bool refuses) {
  Fd counter(bpf_map_create(BPF_MAP_TYPE_ARRAY, "neighbour", sizeof(std::uint32_t),
                            sizeof(std::uint64_t), 1, nullptr));
  if (!counter) return absl::ErrnoToStatus(errno, "create the neighbour's counter");
  const bpf_insn program[] = {
      // r1 = &counter[0], in two slots (mode BPF_IMM is 0)
      {BPF_LD | BPF_DW, BPF_REG_1, BPF_PSEUDO_MAP_VALUE, 0, counter.get()},
      {0, 0, 0, 0, 0},
      // *r1 += 1
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, 1},
      {BPF_STX | BPF_DW | BPF_ATOMIC, BPF_REG_1, BPF_REG_2, 0, BPF_ADD},
      // return 1, or 0
      {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, refuses ? 0 : 1},
      {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
  };
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type);
  const bpf_prog_type kind = type == BPF_CGROUP_INET_SOCK_CREATE ? BPF_PROG_TYPE_CGROUP_SOCK
                                                                 : BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
  Fd loaded(bpf_prog_load(kind, "neighbour", "GPL", program, std::size(program), &options));
  if (!loaded) return absl::ErrnoToStatus(errno, "load the neighbour");
  return Neighbour(type, std::move(counter), std::move(loaded));
}

absl::Status Neighbour::Attach(const Fd &cgroup, std::uint32_t flags) const {
  if (bpf_prog_attach(program_.get(), cgroup.get(), type_, flags) != 0)
    return absl::ErrnoToStatus(errno, "attach the neighbour");
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> Neighbour::Count() const {
  const std::uint32_t first = 0;
  std::uint64_t count = 0;
  if (bpf_map_lookup_elem(counter_.get(), &first, &count) != 0)
    return absl::ErrnoToStatus(errno, "read the neighbour's counter");
  return count;
}

}  // namespace srcsel::lab
