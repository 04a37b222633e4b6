// A network namespace in which every hook has something to do, all of it on lo.
//
// The peer has a listener behind an address that no table `local` knows: what is the host's own is
// exempt from every policy. Without a policy, a socket has the plain source; with the mark, the
// marked one.

#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "absl/status/status.h"
#include "policy/policy.hh"

namespace srcsel {

struct ProbeAddresses {
  int family;
  const char *plain, *chosen, *marked, *bound, *peer;
};
inline constexpr ProbeAddresses kProbe4{AF_INET,     "192.0.2.1", "192.0.2.2",
                                        "192.0.2.3", "192.0.2.4", "192.0.2.80"};
inline constexpr ProbeAddresses kProbe6{AF_INET6,      "2001:db8::1", "2001:db8::2",
                                        "2001:db8::3", "2001:db8::4", "2001:db8::80"};

inline constexpr std::uint32_t kProbeMark = 0x53;
// To the one, connections are to have the chosen source, to the other the mark.
inline constexpr std::uint16_t kSourcePort = 1001, kMarkPort = 1002;
// Sockets of a thread of this name are to have the mark as they are created.
inline constexpr char kCreator[] = "srcsel-create";

// Puts the calling thread, and it alone, into such a namespace.
absl::Status EnterProbeWorld();

// Whether this host has the family at all.
bool HasFamily(const ProbeAddresses &addresses);

// What is to be done there.
Policy ProbePolicy();

}  // namespace srcsel
