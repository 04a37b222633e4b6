#include "differential/hosts/dial_flow.hh"

#include <linux/in6.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>

namespace srcsel {
namespace {

// <netinet/tcp.h> and <linux/in6.h> cannot both be had with the C library's own headers.
enum : int { kFastopenConnect = 30, kFastopenNoCookie = 34 };
enum : int { kIpv6Freebind = 78, kIpv6Transparent = 75, kIpv6UnicastIf = 76 };
enum : int { kIpv6AddrPreferences = 72, kIpv6FlowlabelMgr = 32, kIpv6FlowinfoSend = 33 };

class DialledSocket {
 public:
  explicit DialledSocket(const Flow &flow)
      : flow_(flow),
        socket_(::socket(flow.destination.family(),
                         (tcp() ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}

  bool SetUp() {
    if (fchown(socket_.get(), flow_.uid, static_cast<gid_t>(-1)) != 0) return false;
    bool set = Set(SOL_SOCKET, SO_MARK, flow_.mark) && Set(SOL_SOCKET, SO_REUSEADDR, 1) &&
               Set(SOL_SOCKET, SO_BROADCAST, flow_.broadcast) && SetDevice();
    if (tcp())
      set = set && Set(IPPROTO_TCP, kFastopenConnect, 1) && Set(IPPROTO_TCP, kFastopenNoCookie, 1);
    return set && (v4() ? SetUp4() : SetUp6()) && Bind();
  }

  Connected Connect() {
    sockaddr_storage storage;
    socklen_t size = Address(storage, flow_.destination, flow_.dport);
    if (connect(socket_.get(), reinterpret_cast<sockaddr *>(&storage), size) != 0)
      return {.error = errno};
    Connected connected;
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr *>(&storage), &size), 0);
    connected.source = AddressIn(storage);
    size = sizeof(connected.mtu);
    EXPECT_EQ(getsockopt(socket_.get(), v4() ? IPPROTO_IP : IPPROTO_IPV6, v4() ? IP_MTU : IPV6_MTU,
                         &connected.mtu, &size),
              0)
        << errno;
    return connected;
  }

 private:
  bool v4() const { return flow_.destination.is_v4(); }
  bool tcp() const { return flow_.proto == IPPROTO_TCP; }

  template <typename T>
  bool Set(int level, int name, const T &value) {
    const int number = static_cast<int>(value);
    return setsockopt(socket_.get(), level, name, &number, sizeof(number)) == 0;
  }

  bool SetDevice() {
    if (flow_.oif == 0) return true;
    if (flow_.oif_strict) return Set(SOL_SOCKET, SO_BINDTOIFINDEX, flow_.oif);
    return !v4() && !tcp() && Set(IPPROTO_IPV6, kIpv6UnicastIf, htonl(flow_.oif));
  }

  bool SetUp4() {
    return Set(IPPROTO_IP, IP_TOS, flow_.tos) && Set(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) &&
           Set(IPPROTO_IP, IP_FREEBIND, 1) && Set(IPPROTO_IP, IP_TRANSPARENT, flow_.transparent);
  }

  bool SetUp6() {
    return Set(IPPROTO_IPV6, IPV6_TCLASS, flow_.tos) &&
           Set(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) && Set(IPPROTO_IPV6, kIpv6Freebind, 1) &&
           Set(IPPROTO_IPV6, kIpv6Transparent, flow_.transparent) &&
           (flow_.prefer == 0 || Set(IPPROTO_IPV6, kIpv6AddrPreferences, flow_.prefer)) &&
           (flow_.label == 0 || LeaseLabel());
  }

  bool LeaseLabel() {
    in6_flowlabel_req request{};
    std::memcpy(&request.flr_dst, flow_.destination.bytes().data(), sizeof(request.flr_dst));
    request.flr_label = htonl(flow_.label);
    request.flr_action = IPV6_FL_A_GET;
    request.flr_share = IPV6_FL_S_ANY;
    request.flr_flags = IPV6_FL_F_CREATE;
    return Set(IPPROTO_IPV6, kIpv6FlowinfoSend, 1) &&
           setsockopt(socket_.get(), IPPROTO_IPV6, kIpv6FlowlabelMgr, &request, sizeof(request)) ==
               0;
  }

  socklen_t Address(sockaddr_storage &storage, const IpAddress &address, std::uint16_t port) const {
    const socklen_t size = SetAddress(storage, address, port);
    if (v4()) return size;
    auto &in6 = reinterpret_cast<sockaddr_in6 &>(storage);
    if (address == flow_.destination) in6.sin6_flowinfo = htonl(flow_.label);
    if (address.IsLinkLocal() && flow_.oif_strict) in6.sin6_scope_id = flow_.oif;
    return size;
  }

  bool Bind() {
    if (flow_.source.IsUnspecified() && flow_.sport == 0) return true;
    sockaddr_storage storage;
    const socklen_t size = Address(storage, flow_.source, flow_.sport);
    return bind(socket_.get(), reinterpret_cast<sockaddr *>(&storage), size) == 0;
  }

  const Flow &flow_;
  const Fd socket_;
};

}  // namespace

std::optional<Connected> DialFlow(const Flow &flow) {
  DialledSocket socket(flow);
  if (!socket.SetUp()) return std::nullopt;
  return socket.Connect();
}

}  // namespace srcsel
