// The kernel as the oracle, asked in two ways: for one route lookup (RTM_GETROUTE), and by a real
// connect().
//
// A Question is one output lookup, the first of an unbound IPv4 socket unless `from` is set. Where
// it comes to a multipath hash it is not quite a socket's: the kernel cannot be told that a source
// port is still to be chosen, and under IPv4 policy 3 it also hashes the inner headers of a packet
// it makes up. Asking sends no packet and makes no neighbour; neither does the connect of a
// datagram socket, while that of a stream socket sends a SYN.
//
// Whoever asks belongs to the network namespace of the thread that opened the socket. A question
// takes some 10 us.

#pragma once

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "base/status.hh"
#include "netlink/ask_route.hh"
#include "netlink/request.hh"
#include <srcsel/address.hh>

namespace srcsel {

// Whether this is Linux major.minor or later.
inline bool KernelIsAtLeast(int major, int minor) {
  utsname name{};
  std::pair<int, int> is;
  EXPECT_EQ(uname(&name), 0);
  EXPECT_EQ(std::sscanf(name.release, "%d.%d", &is.first, &is.second), 2) << name.release;
  return is >= std::pair(major, minor);
}

// ---- route lookups ----------------------------------------------------------------------------

struct Question {
  IpAddress to;
  IpAddress from;         // unspecified: no source
  std::uint32_t oif = 0;  // 0: none
  std::uint32_t mark = 0;
  std::uint8_t tos = 0;
  std::uint8_t proto = IPPROTO_UDP;  // the kernel takes UDP, TCP and ICMP
  std::uint16_t sport = 0;
  std::uint16_t dport = 0;
  std::uint32_t flow_label = 0;  // IPv6
  std::uint32_t uid = 0;

  std::string ToString() const {
    return absl::StrCat(to.ToString(), " from ", from.ToString(), " oif ", oif, " mark ", mark,
                        " tos ", tos, " proto ", proto, " ports ", sport, ">", dport, " label ",
                        flow_label, " uid ", uid);
  }
};

class RouteOracle {
 public:
  static absl::StatusOr<RouteOracle> Open() {
    SRCSEL_ASSIGN_OR_RETURN(RouteAsker asker, RouteAsker::Open());
    return RouteOracle(std::move(asker));
  }

  absl::StatusOr<Outcome> Ask(const Question &question) const {
    return asker_.Ask({.destination = question.to,
                       .dport = question.dport,
                       .source = question.from,
                       .sport = question.sport,
                       .proto = question.proto,
                       .tos = question.tos,
                       .mark = question.mark,
                       .uid = question.uid,
                       .oif = question.oif,
                       .label = question.flow_label});
  }

 private:
  explicit RouteOracle(RouteAsker asker) : asker_(std::move(asker)) {}

  mutable RouteAsker asker_;
};

// Has the kernel do what the request says, which asks for NLM_F_ACK.
inline absl::Status Do(NetlinkRequest request) {
  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  const std::vector<std::uint8_t> &bytes = request.Finish();
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } answer{};
  if (send(socket.get(), bytes.data(), bytes.size(), 0) < 0 ||
      recv(socket.get(), &answer, sizeof(answer), 0) < 0)
    return absl::ErrnoToStatus(errno, "send a netlink request");
  if (answer.error.error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(-answer.error.error, "netlink request");
}

// ---- connections ------------------------------------------------------------------------------

struct Dial {
  IpAddress to;
  std::uint16_t port = 0;
  int type = SOCK_DGRAM;
  std::uint32_t mark = 0;
  std::optional<IpAddress> from = {};  // bound to before
  std::uint16_t from_port = 0;         // bound to before, with `from` or the unspecified address

  std::string ToString() const {
    return absl::StrCat(to.ToString(), type == SOCK_DGRAM ? " udp " : " tcp ", port, " mark ",
                        mark);
  }
};

struct Connected {
  int error = 0;  // of errno; nothing else is set then
  IpAddress source = {};
  int mtu = 0;  // of the way out: tells the device where no two have the same
};

inline socklen_t SetAddress(sockaddr_storage &storage, const IpAddress &address,
                            std::uint16_t port) {
  storage = {};
  if (address.is_v4()) {
    auto *in = reinterpret_cast<sockaddr_in *>(&storage);
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    std::memcpy(&in->sin_addr, address.bytes().data(), sizeof(in->sin_addr));
    return sizeof(*in);
  }
  auto *in6 = reinterpret_cast<sockaddr_in6 *>(&storage);
  in6->sin6_family = AF_INET6;
  in6->sin6_port = htons(port);
  std::memcpy(&in6->sin6_addr, address.bytes().data(), sizeof(in6->sin6_addr));
  return sizeof(*in6);
}

inline IpAddress AddressIn(const sockaddr_storage &storage) {
  if (storage.ss_family == AF_INET)
    return IpAddress::FromBytes(AF_INET, &reinterpret_cast<const sockaddr_in &>(storage).sin_addr);
  return IpAddress::FromBytes(AF_INET6, &reinterpret_cast<const sockaddr_in6 &>(storage).sin6_addr);
}

// What the kernel does with a socket of this thread's namespace that is marked, bound if asked for,
// and connects.
inline Connected Connect(const Dial &dial) {
  const bool v4 = dial.to.is_v4();
  const Fd socket(::socket(dial.to.family(), dial.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  EXPECT_EQ(setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &dial.mark, sizeof(dial.mark)), 0);
  if (dial.from || dial.from_port) {
    const IpAddress from = dial.from.value_or(IpAddress::Any(dial.to.family()));
    const socklen_t size = SetAddress(storage, from, dial.from_port);
    EXPECT_EQ(bind(socket.get(), reinterpret_cast<sockaddr *>(&storage), size), 0);
  }
  socklen_t size = SetAddress(storage, dial.to, dial.port);
  if (connect(socket.get(), reinterpret_cast<sockaddr *>(&storage), size) != 0 &&
      errno != EINPROGRESS)
    return {.error = errno};
  Connected connected;
  EXPECT_EQ(getsockname(socket.get(), reinterpret_cast<sockaddr *>(&storage), &size), 0);
  connected.source = AddressIn(storage);
  size = sizeof(connected.mtu);
  EXPECT_EQ(getsockopt(socket.get(), v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_MTU : IPV6_MTU,
                       &connected.mtu, &size),
            0);
  return connected;
}

}  // namespace srcsel
