// A hook that binds: what bpf_bind() alone does to a socket, without what our own hooks do besides.
//
// Each socket that a process of the cgroup has made is bound to the address, with port 0, when it
// connects by IPv4. Detached when the owner goes. Needs CAP_BPF and CAP_NET_ADMIN.

#pragma once

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "lab/cgroup.hh"
#include <srcsel/address.hh>

namespace srcsel {

absl::StatusOr<Fd> AttachBindHook(const lab::TestCgroup &cgroup, const IpAddress &address);

// An IPv4 socket of this thread's namespace, nonblocking, that belongs to the cgroup as one made by
// a process in it does. The caller stays where it is.
absl::StatusOr<Fd> SocketOf(const lab::TestCgroup &cgroup, int type);

}  // namespace srcsel
