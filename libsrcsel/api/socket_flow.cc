#include "api/socket_flow.hh"

#include <arpa/inet.h>
#include <linux/in6.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "api/convert.hh"
#include "api/error.hh"
#include "base/unmapped.hh"

namespace srcsel::api {
namespace {

constexpr std::uint32_t kPreferences =
    IPV6_PREFER_SRC_TMP | IPV6_PREFER_SRC_PUBLIC | IPV6_PREFER_SRC_COA;

// `fallback` where the kernel has no such option, or not for this socket.
int Option(int fd, int level, int name, int fallback = 0) {
  int value = fallback;
  socklen_t size = sizeof(value);
  return getsockopt(fd, level, name, &value, &size) == 0 ? value : fallback;
}

// The option of IPv4, or that of IPv6.
int Option(int fd, const Flow &flow, int name4, int name6) {
  return flow.destination.is_v4() ? Option(fd, IPPROTO_IP, name4) : Option(fd, IPPROTO_IPV6, name6);
}

void ReadDevice(int fd, const srcsel_sockaddr &destination, Flow &flow) {
  flow.oif = static_cast<std::uint32_t>(Option(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
  if (flow.oif == 0 && flow.destination.family() == AF_INET6 && flow.destination.IsLinkLocal())
    flow.oif = destination.v6.sin6_scope_id;
  // TCP heeds no other.
  if (flow.oif != 0 || flow.proto == IPPROTO_TCP) return;
  flow.oif = ntohl(static_cast<std::uint32_t>(Option(fd, flow, IP_UNICAST_IF, IPV6_UNICAST_IF)));
  flow.oif_strict = flow.oif == 0;
}

}  // namespace

int ReadSocketFlow(int fd, const srcsel_sockaddr &destination, SocketFlow &socket) {
  socklen_t size = sizeof(socket.family);
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &socket.family, &size) != 0)
    return RefuseErrno("read a socket's family");
  Flow &flow = socket.flow;
  if (const int error = ToAddress(destination, flow.destination)) return error;
  if (flow.destination.family() != socket.family)
    return Refuse(EAFNOSUPPORT, "prepare a socket: its family is not the destination's");
  flow.destination = Unmapped(flow.destination);
  flow.dport = PortOf(destination);

  srcsel_sockaddr own{};
  struct stat file;
  size = sizeof(own);
  if (getsockname(fd, &own.any, &size) != 0 || fstat(fd, &file) != 0)
    return RefuseErrno("read a socket's name and owner");
  if (const int error = ToAddress(own, flow.source)) return error;
  flow.sport = PortOf(own);
  flow.uid = file.st_uid;

  const int protocol = Option(fd, SOL_SOCKET, SO_PROTOCOL);
  flow.proto = static_cast<std::uint8_t>(protocol == IPPROTO_MPTCP ? IPPROTO_TCP + 0 : protocol);
  flow.mark = static_cast<std::uint32_t>(Option(fd, SOL_SOCKET, SO_MARK));
  flow.tos = static_cast<std::uint8_t>(Option(fd, flow, IP_TOS, IPV6_TCLASS));
  flow.broadcast = Option(fd, SOL_SOCKET, SO_BROADCAST) != 0;
  flow.transparent = Option(fd, flow, IP_TRANSPARENT, IPV6_TRANSPARENT) != 0;
  ReadDevice(fd, destination, flow);
  if (flow.destination.is_v4()) return 0;
  flow.prefer =
      static_cast<std::uint32_t>(Option(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES)) & kPreferences;
  if (Option(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND))
    flow.label = ntohl(destination.v6.sin6_flowinfo) & 0xfffff;
  return 0;
}

}  // namespace srcsel::api
