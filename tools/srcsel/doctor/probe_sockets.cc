#include "srcsel/doctor/probe_sockets.hh"

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "agent/socket_address.hh"
#include "base/fd.hh"

namespace srcsel {
namespace {

constexpr timeval kPatience{5, 0};

IpAddress Of(const char *text) {
  return IpAddress::Parse(text).value();
}

// Says why the call went wrong.
std::string Failed(const char *call) {
  return absl::StrCat(call, ": ", std::strerror(errno));
}

std::string Differs(const std::string &has, const std::string &wanted) {
  return has == wanted ? "" : absl::StrCat("has ", has, ", not ", wanted);
}

class Peer {
 public:
  Peer(const ProbeAddresses &addresses, int type, std::uint16_t port)
      : socket_(::socket(addresses.family, type | SOCK_CLOEXEC, 0)),
        address_(Of(addresses.peer), port) {
    const SocketAddress any(IpAddress::Any(addresses.family), port);
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
    // It answers from an address that no table `local` has, which IPv4 routes for such alone
    // (Linux 6.18, ip_route_output_key_hash_rcu()).
    const int on = 1;
    setsockopt(socket_.get(), SOL_IP, IP_TRANSPARENT, &on, sizeof(on));
    ready_ = bind(socket_.get(), any.get(), any.size) == 0 &&
             (type != SOCK_STREAM || listen(socket_.get(), 8) == 0);
  }

  // Empty if the call went well.
  std::string Connect(const Fd &client) const {
    if (!ready_) return "the probe has no listener";
    setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof(kPatience));
    return connect(client.get(), address_.get(), address_.size) == 0 ? "" : Failed("connect");
  }

  // Whom a datagram of this client comes from; what went wrong is in its place.
  std::string SenderSeen(const Fd &client) const {
    if (!ready_) return "no receiver";
    char byte = 1;
    if (sendto(client.get(), &byte, 1, 0, address_.get(), address_.size) != 1)
      return Failed("sendto");
    SocketAddress from;
    if (recvfrom(socket_.get(), &byte, 1, 0, from.get(), &from.size) != 1)
      return Failed("no datagram");
    return from.address().ToString();
  }

 private:
  Fd socket_;
  SocketAddress address_;
  bool ready_ = false;
};

std::string SourceOf(const Fd &socket) {
  SocketAddress local;
  if (getsockname(socket.get(), local.get(), &local.size) != 0) return Failed("getsockname");
  return local.address().ToString();
}

std::string MarkWords(std::uint32_t mark) {
  return absl::StrFormat("mark %#x", mark);
}

std::string MarkOf(const Fd &socket) {
  std::uint32_t mark = 0;
  socklen_t size = sizeof(mark);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, &size) != 0) return Failed("getsockopt");
  return MarkWords(mark);
}

class Prober {
 public:
  explicit Prober(const ProbeAddresses &addresses)
      : at_(addresses),
        digit_(addresses.family == AF_INET ? '4' : '6'),
        for_source_(addresses, SOCK_STREAM, kSourcePort),
        for_mark_(addresses, SOCK_STREAM, kMarkPort),
        receiver_(addresses, SOCK_DGRAM, kSourcePort) {}

  std::string TriesConnect() const {
    const Fd chosen = Client(SOCK_STREAM), marked = Client(SOCK_STREAM);
    std::string trouble = for_source_.Connect(chosen);
    if (trouble.empty()) trouble = Differs(SourceOf(chosen), at_.chosen);
    if (trouble.empty()) trouble = for_mark_.Connect(marked);
    if (trouble.empty()) trouble = Differs(MarkOf(marked), MarkWords(kProbeMark));
    return trouble.empty() ? Differs(SourceOf(marked), at_.marked) : trouble;
  }

  // An address without a port that nobody saw being bound would be taken for an earlier decision's,
  // and replaced.
  std::string TriesBind() const {
    const Fd client = Client(SOCK_STREAM);
    const SocketAddress own(Of(at_.bound));
    const int on = 1;
    setsockopt(client.get(), SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    if (bind(client.get(), own.get(), own.size) != 0) return Failed("bind");
    const std::string trouble = for_source_.Connect(client);
    return trouble.empty() ? Differs(SourceOf(client), at_.bound) : trouble;
  }

  std::string TriesSendmsg() const {
    return Differs(receiver_.SenderSeen(Client(SOCK_DGRAM)), at_.chosen);
  }

  // A mark that nobody saw being set would be taken for one of the policy's, and taken back.
  std::string TriesSetsockopt() const {
    const Fd client = Client(SOCK_STREAM);
    if (setsockopt(client.get(), SOL_SOCKET, SO_MARK, &kProbeMark, sizeof(kProbeMark)) != 0)
      return Failed("setsockopt");
    const std::string trouble = for_source_.Connect(client);
    return trouble.empty() ? Differs(MarkOf(client), MarkWords(kProbeMark)) : trouble;
  }

  std::string TriesCreate() const {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    prctl(PR_SET_NAME, kCreator);
    const Fd client = Client(SOCK_DGRAM);
    prctl(PR_SET_NAME, name);
    return Differs(MarkOf(client), MarkWords(kProbeMark));
  }

  std::string Hook(const char *name) const { return absl::StrCat(name, std::string(1, digit_)); }

 private:
  Fd Client(int type) const { return Fd(::socket(at_.family, type | SOCK_CLOEXEC, 0)); }

  const ProbeAddresses &at_;
  const char digit_;
  Peer for_source_, for_mark_, receiver_;
};

}  // namespace

std::vector<Probe> ProbeSockets(const ProbeAddresses &addresses) {
  const Prober prober(addresses);
  std::vector<Probe> probes;
  if (addresses.family == AF_INET)
    probes = {{"create", "marks sockets as they are created", prober.TriesCreate()},
              {"setsockopt", "notices marks of the application", prober.TriesSetsockopt()}};
  probes.push_back({prober.Hook("bind"), "notices what is bound", prober.TriesBind()});
  probes.push_back(
      {prober.Hook("connect"), "gives connections source and mark", prober.TriesConnect()});
  probes.push_back({prober.Hook("sendmsg"), "gives datagrams a source", prober.TriesSendmsg()});
  return probes;
}

}  // namespace srcsel
