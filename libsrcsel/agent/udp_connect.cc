#include "agent/udp_connect.hh"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "agent/socket_address.hh"
#include "base/fd.hh"

namespace srcsel {
namespace {

template <typename T>
bool Set(const Fd &socket, int level, int option, const T &value) {
  return setsockopt(socket.get(), level, option, &value, sizeof(value)) == 0;
}

// Makes the socket that of the flow.
bool Prepare(const Fd &socket, const Flow &flow) {
  const bool v4 = flow.destination.is_v4();
  if (flow.uid != getuid() && fchown(socket.get(), flow.uid, static_cast<gid_t>(-1)) != 0)
    return false;
  if (flow.mark != 0 && !Set(socket, SOL_SOCKET, SO_MARK, flow.mark)) return false;
  if (flow.tos != 0 && !Set(socket, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS,
                            static_cast<int>(flow.tos)))
    return false;
  if (flow.oif != 0 && !Set(socket, SOL_SOCKET, SO_BINDTOIFINDEX, flow.oif)) return false;
  if (flow.source.IsUnspecified() && flow.sport == 0) return true;
  const SocketAddress source(flow.source, flow.sport);
  return bind(socket.get(), source.get(), source.size) == 0;
}

}  // namespace

absl::StatusOr<std::optional<Outcome>> ConnectUdp(const Flow &flow) {
  const Fd socket(::socket(flow.destination.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return absl::ErrnoToStatus(errno, "open a UDP socket");
  if (!Prepare(socket, flow)) return std::nullopt;
  const SocketAddress destination(flow.destination, flow.dport);
  if (connect(socket.get(), destination.get(), destination.size) != 0)
    return Outcome{.error = errno};
  SocketAddress local;
  if (getsockname(socket.get(), local.get(), &local.size) != 0)
    return absl::ErrnoToStatus(errno, "read a UDP socket's address");
  return Outcome{.source = local.address()};
}

}  // namespace srcsel
