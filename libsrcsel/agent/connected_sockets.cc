#include "agent/connected_sockets.hh"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/cgroup_path.hh"
#include "agent/net_class.hh"
#include "base/cgroup_root.hh"
#include "base/netns.hh"
#include "base/printable.hh"
#include "base/process_name.hh"
#include "base/status.hh"
#include "base/unmapped.hh"

namespace srcsel {
namespace {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint &, const Endpoint &) = default;
};

// "10.0.0.1:80", "[fd00::1]:80".
std::optional<Endpoint> EndpointOf(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  absl::string_view host = text.substr(0, colon);
  std::uint32_t port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) return std::nullopt;
  if (absl::ConsumePrefix(&host, "[") != absl::ConsumeSuffix(&host, "]")) return std::nullopt;
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(host);
  if (!address.ok()) return std::nullopt;
  return Endpoint{Unmapped(*address), static_cast<std::uint16_t>(port)};
}

int Option(const Fd &socket, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  return getsockopt(socket.get(), level, name, &value, &size) == 0 ? value : 0;
}

bool IsOf(const Fd &socket, std::uint64_t netns) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0 &&
         cookie == netns;
}

Caller CallerOf(pid_t pid) {
  Caller caller;
  caller.classid = ClassidOf(pid);
  caller.comm = ProcessName(pid);
  caller.cgroup = CgroupOf(pid).value_or("/");
  struct stat process;
  if (stat(absl::StrCat("/proc/", pid).c_str(), &process) == 0) caller.gid = process.st_gid;
  return caller;
}

Flow FlowOf(const Fd &socket, const Endpoint &peer) {
  Flow flow;
  flow.destination = peer.address;
  flow.dport = peer.port;
  flow.source = IpAddress::Any(peer.address.family());
  const int protocol = Option(socket, SOL_SOCKET, SO_PROTOCOL);
  flow.proto = static_cast<std::uint8_t>(protocol == IPPROTO_MPTCP ? IPPROTO_TCP + 0 : protocol);
  flow.mark = static_cast<std::uint32_t>(Option(socket, SOL_SOCKET, SO_MARK));
  flow.oif = static_cast<std::uint32_t>(Option(socket, SOL_SOCKET, SO_BINDTOIFINDEX));
  flow.tos =
      static_cast<std::uint8_t>(peer.address.is_v4() ? Option(socket, IPPROTO_IP, IP_TOS)
                                                     : Option(socket, IPPROTO_IPV6, IPV6_TCLASS));
  struct stat file;
  if (fstat(socket.get(), &file) == 0) flow.uid = file.st_uid;
  return flow;
}

class Collector {
 public:
  explicit Collector(std::uint64_t netns) : netns_(netns) {}

  void See(const OpenSocket &about, const Fd &socket) {
    const std::optional<Endpoint> local = EndpointOf(about.local), peer = EndpointOf(about.peer);
    if (!local || !peer || !IsOf(socket, netns_)) return;
    if (wanted_ && (wanted_->first != *local || wanted_->second != *peer)) return;
    found_.push_back({about, FlowOf(socket, *peer), CallerOf(about.pid), local->address});
  }
  void Want(const Endpoint &local, const Endpoint &peer) { wanted_ = {local, peer}; }
  std::vector<ConnectedSocket> Take() && { return std::move(found_); }

 private:
  const std::uint64_t netns_;
  std::optional<std::pair<Endpoint, Endpoint>> wanted_;
  std::vector<ConnectedSocket> found_;
};

}  // namespace

absl::StatusOr<std::vector<ConnectedSocket>> ConnectedSocketsOf(pid_t pid) {
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t netns, NetnsCookie());
  Collector collector(netns);
  const auto see = [&](const OpenSocket &about, const Fd &socket) { collector.See(about, socket); };
  if (!ForEachSocketOf(pid, see))
    return absl::PermissionDeniedError(absl::StrCat(
        "process ", pid, ": its sockets are not to be seen without CAP_SYS_PTRACE: run as root"));
  std::vector<ConnectedSocket> found = std::move(collector).Take();
  if (found.empty() && access(absl::StrCat("/proc/", pid).c_str(), F_OK) != 0)
    return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  if (found.empty())
    return absl::NotFoundError(absl::StrCat("process ", pid, " (", Printable(ProcessName(pid)),
                                            ") has no connected socket in this namespace"));
  return found;
}

absl::StatusOr<std::vector<ConnectedSocket>> ConnectedSocketsBetween(const std::string &ends) {
  const std::vector<absl::string_view> halves = absl::StrSplit(ends, '-');
  const auto local = EndpointOf(halves.front()), peer = EndpointOf(halves.back());
  if (halves.size() != 2 || !local || !peer)
    return absl::InvalidArgumentError(
        absl::StrCat("--socket ", ends,
                     ": give SRC:PORT-DST:PORT, as in 10.0.0.1:40000-192.0.2.80:443 or "
                     "[fd00::1]:40000-[2001:db8::80]:443"));
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t netns, NetnsCookie());
  SRCSEL_ASSIGN_OR_RETURN(const Fd root, OpenCgroup("/"));
  Collector collector(netns);
  collector.Want(*local, *peer);
  const std::uint32_t unseen = ForEachOpenSocket(
      root, [&](const OpenSocket &about, const Fd &socket) { collector.See(about, socket); });
  std::vector<ConnectedSocket> found = std::move(collector).Take();
  if (found.empty())
    return absl::NotFoundError(absl::StrCat(
        "no process has a socket ", ends, " in this namespace",
        unseen == 0 ? "" : absl::StrCat(" (", unseen, " could not be looked into: run as root)")));
  return found;
}

}  // namespace srcsel
