// Commands under a kernel that refuses some of bpf(2): programs/bpf_refused.c plays it.
// And the hooks that srcsel can do without, with what is then amiss.

#pragma once

#include <linux/bpf.h>

#include <ostream>
#include <string>
#include <vector>

#include "lab/two_uplinks.hh"

namespace srcsel::lab {

// `call` (BPF_PROG_LOAD, ...) and the attach type, -1 for any, and the errno to refuse with.
inline std::vector<std::string> RefusingBpf(int call, int type, int error,
                                            const std::vector<std::string> &command) {
  std::vector<std::string> words{BPF_REFUSED, std::to_string(call), std::to_string(type),
                                 std::to_string(error)};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

// A hook that can be done without.
struct Lack {
  const char *hook;
  bpf_attach_type type;
  const char *sent4, *sent6;  // the sources of datagrams sent without connecting
  const char *raw4, *raw6;    // and of what raw sockets send, under a mark
};

inline void PrintTo(const Lack &lack, std::ostream *out) {
  *out << lack.hook;
}

inline const Lack kLacks[] = {
    {"sendmsg4", BPF_CGROUP_UDP4_SENDMSG, kTelecomSource4, kUnicomSource6, kUnicomSource4,
     kUnicomSource6},
    {"sendmsg6", BPF_CGROUP_UDP6_SENDMSG, kUnicomSource4, kTelecomSource6, kUnicomSource4,
     kUnicomSource6},
    {"create", BPF_CGROUP_INET_SOCK_CREATE, kUnicomSource4, kUnicomSource6, kTelecomSource4,
     kTelecomSource6},
};

}  // namespace srcsel::lab
