#include "hooks/kernel_has.hh"

#include <bpf/bpf.h>

#include <cerrno>
#include <iterator>

#include "base/fd.hh"

namespace srcsel {

bool KernelHas(const Hook &hook) {
  const bpf_insn let_pass[] = {{BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
                               {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = hook.type);
  const Fd loaded(bpf_prog_load(bpf_program__type(hook.program), "srcsel_trial", "GPL", let_pass,
                                std::size(let_pass), &options));
  return loaded || errno != EINVAL;
}

}  // namespace srcsel
