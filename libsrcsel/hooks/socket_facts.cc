#include "hooks/socket_facts.hh"

#include <bpf/bpf.h>

#include <cerrno>

namespace srcsel {

std::uint32_t SocketFacts::Of(const Fd &socket) const {
  const int key = socket.get();
  std::uint32_t facts = 0;
  return bpf_map_lookup_elem(map_, &key, &facts) == 0 ? facts : 0;
}

absl::Status SocketFacts::Add(const Fd &socket, std::uint32_t facts) const {
  const int key = socket.get();
  const std::uint32_t all = Of(socket) | facts;
  if (bpf_map_update_elem(map_, &key, &all, BPF_ANY) != 0)
    return absl::ErrnoToStatus(errno, "note something of a socket");
  return absl::OkStatus();
}

}  // namespace srcsel
