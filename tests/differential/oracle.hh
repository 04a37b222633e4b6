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

#include <array>
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
#include "netlink/attributes.hh"
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

// A message to rtnetlink: a header of the family, then attributes.
class NetlinkRequest {
 public:
  template <typename Header>
  NetlinkRequest(int type, int flags, const Header &header) {
    nlmsghdr message{};
    message.nlmsg_type = static_cast<std::uint16_t>(type);
    message.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    Append(&message, sizeof(message));
    Append(&header, sizeof(header));
  }

  void Add(int type, const void *payload, std::size_t size) {
    const rtattr attribute{static_cast<unsigned short>(RTA_LENGTH(size)),
                           static_cast<unsigned short>(type)};
    Append(&attribute, sizeof(attribute));
    Append(payload, size);
  }
  template <typename T>
  void Add(int type, const T &value) {
    Add(type, &value, sizeof(value));
  }
  void Add(int type, const IpAddress &address) {
    Add(type, address.bytes().data(), address.size());
  }

  // The bytes, with their length filled in.
  const std::vector<std::uint8_t> &Finish() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof(length));
    return bytes_;
  }

 private:
  void Append(const void *from, std::size_t size) {
    const auto *bytes = static_cast<const std::uint8_t *>(from);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }

  std::vector<std::uint8_t> bytes_;
};

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

  std::string ToString() const {
    return absl::StrCat(to.ToString(), " from ", from.ToString(), " oif ", oif, " mark ", mark,
                        " tos ", tos, " proto ", proto, " ports ", sport, ">", dport, " label ",
                        flow_label);
  }
};

struct Reply {
  int error = 0;  // of errno; nothing else is set then
  std::uint32_t oif = 0;
  std::optional<IpAddress> gateway = {};
  std::optional<IpAddress> source = {};
  std::uint32_t table = 0;
  std::uint8_t type = 0;  // RTN_*
};

class RouteOracle {
 public:
  static absl::StatusOr<RouteOracle> Open() {
    Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket) return absl::ErrnoToStatus(errno, "open a netlink socket");
    return RouteOracle(std::move(socket));
  }

  absl::StatusOr<Reply> Ask(const Question &question) const {
    NetlinkRequest request(RTM_GETROUTE, 0, HeaderOf(question));
    request.Add(RTA_DST, question.to);
    if (!question.from.IsUnspecified()) request.Add(RTA_SRC, question.from);
    if (question.oif) request.Add(RTA_OIF, question.oif);
    if (question.mark) request.Add(RTA_MARK, question.mark);
    if (question.flow_label) request.Add(kFlowLabel, htonl(question.flow_label));
    request.Add(RTA_IP_PROTO, question.proto);
    request.Add(RTA_SPORT, htons(question.sport));
    request.Add(RTA_DPORT, htons(question.dport));
    SRCSEL_RETURN_IF_ERROR(Send(request));
    return Receive(question.to.family());
  }

  // Has the kernel do what the request says, which asks for NLM_F_ACK.
  absl::Status Do(NetlinkRequest request) const {
    SRCSEL_RETURN_IF_ERROR(Send(request));
    SRCSEL_ASSIGN_OR_RETURN(const Reply reply, Receive(AF_INET));
    if (reply.error == 0) return absl::OkStatus();
    return absl::ErrnoToStatus(reply.error, "netlink request");
  }

 private:
  static constexpr int kFlowLabel = 31;  // RTA_FLOWLABEL, since Linux 6.14

  explicit RouteOracle(Fd socket) : socket_(std::move(socket)) {}

  static rtmsg HeaderOf(const Question &question) {
    rtmsg header{};
    header.rtm_family = static_cast<unsigned char>(question.to.family());
    header.rtm_dst_len = static_cast<unsigned char>(question.to.bits());
    if (!question.from.IsUnspecified()) header.rtm_src_len = header.rtm_dst_len;
    header.rtm_tos = question.tos;
    header.rtm_flags = RTM_F_LOOKUP_TABLE;
    return header;
  }

  absl::Status Send(NetlinkRequest &request) const {
    const std::vector<std::uint8_t> &bytes = request.Finish();
    if (send(socket_.get(), bytes.data(), bytes.size(), 0) < 0)
      return absl::ErrnoToStatus(errno, "send a netlink request");
    return absl::OkStatus();
  }

  absl::StatusOr<Reply> Receive(int family) const {
    alignas(nlmsghdr) std::array<std::uint8_t, 8192> buffer;
    if (recv(socket_.get(), buffer.data(), buffer.size(), 0) < 0)
      return absl::ErrnoToStatus(errno, "receive a netlink answer");
    const auto &message = *reinterpret_cast<const nlmsghdr *>(buffer.data());
    if (message.nlmsg_type == NLMSG_ERROR) {
      nlmsgerr answer{};
      std::memcpy(&answer, NLMSG_DATA(&message), sizeof(answer));
      return Reply{.error = -answer.error};
    }
    DecodeError error("route lookup");
    const auto header = ReadHeader<rtmsg>(message, RTM_NEWROUTE, error);
    const Attributes a(message, sizeof(header), error);
    Reply reply;
    reply.oif = a.Get<std::uint32_t>(RTA_OIF).value_or(0);
    reply.gateway = a.Address(RTA_GATEWAY, family);
    reply.source = a.Address(RTA_PREFSRC, family);
    reply.table = a.Get<std::uint32_t>(RTA_TABLE).value_or(0);
    reply.type = header.rtm_type;
    if (!error.ok()) return error.status();
    return reply;
  }

  Fd socket_;
};

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
