// Programs of others that would stop running below a cgroup if hooks were attached to it.
//
// The kernel runs a program that was attached with BPF_F_ALLOW_OVERRIDE only until a cgroup below
// has one of its own, however that was attached (compute_effective_progs()).

#pragma once

#include <bpf/bpf.h>

#include "absl/status/status.h"
#include "base/fd.hh"

namespace srcsel {

// kFailedPrecondition if there is such a program for the hook on a cgroup above.
absl::Status CheckNothingOverridden(const Fd &cgroup, bpf_attach_type hook, const char *name);

}  // namespace srcsel
