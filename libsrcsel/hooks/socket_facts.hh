// What programs know of a socket (enum srcsel_fact), told by who was there before them.
//
// Contract: borrows the map. A fact that a program adds at the same moment may be lost; so tell
// before the hooks that decide are attached. Cost: a system call or two a socket, and 64 bytes of
// the socket's own option memory. Not thread-safe.

#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "base/fd.hh"

namespace srcsel {

class SocketFacts {
 public:
  // Of an sk_storage map with a __u32.
  explicit SocketFacts(int map) : map_(map) {}

  // 0: nothing is known.
  std::uint32_t Of(const Fd &socket) const;
  absl::Status Add(const Fd &socket, std::uint32_t facts) const;

 private:
  int map_;
};

}  // namespace srcsel
