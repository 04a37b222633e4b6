// An address and a port as the system calls of sockets take and give them.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>

#include <srcsel/address.hh>

namespace srcsel {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_storage);

  SocketAddress() = default;
  explicit SocketAddress(const IpAddress &address, std::uint16_t port = 0) {
    if (address.is_v4()) {
      auto *in = reinterpret_cast<sockaddr_in *>(&storage);
      *in = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
      std::memcpy(&in->sin_addr, address.bytes().data(), sizeof(in->sin_addr));
      size = sizeof(*in);
      return;
    }
    auto *in6 = reinterpret_cast<sockaddr_in6 *>(&storage);
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    std::memcpy(&in6->sin6_addr, address.bytes().data(), sizeof(in6->sin6_addr));
    size = sizeof(*in6);
  }

  const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&storage); }
  sockaddr *get() { return reinterpret_cast<sockaddr *>(&storage); }
  IpAddress address() const {
    if (storage.ss_family == AF_INET)
      return IpAddress::FromBytes(AF_INET,
                                  &reinterpret_cast<const sockaddr_in &>(storage).sin_addr);
    return IpAddress::FromBytes(AF_INET6,
                                &reinterpret_cast<const sockaddr_in6 &>(storage).sin6_addr);
  }
};

}  // namespace srcsel
