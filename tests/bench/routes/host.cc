#include "bench/routes/host.hh"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "netlink/read_state.hh"
#include "netlink/request.hh"

namespace srcsel::bench {
namespace {

constexpr std::size_t kAddresses = 1 << 20;
constexpr std::size_t kBatchBytes = 32 << 10;

// The gateways are .2 and following of the uplink's network.
IpAddress Gateway(int family, std::uint8_t hop) {
  const IpAddress first = IpAddress::Parse(family == AF_INET ? "10.0.0.2" : "fd00::2").value();
  IpAddress::Bytes bytes = first.bytes();
  bytes[first.size() - 1] = static_cast<std::uint8_t>(bytes[first.size() - 1] + hop);
  return IpAddress::FromBytes(family, bytes.data());
}

std::vector<std::string> Lines(int family) {
  std::vector<std::string> lines = {"link set lo up", "link add v0 type veth peer name w0",
                                    "link set v0 addrgenmode none", "link set w0 up",
                                    "link set v0 up"};
  lines.push_back(family == AF_INET ? "address add 10.0.0.1/24 dev v0"
                                    : "address add fd00::1/64 dev v0 nodad");
  // With local and main, ten; IPv4's default is an eleventh, behind main.
  for (int i = 0; i < 8; ++i) {
    lines.push_back(absl::StrCat("rule add fwmark ", 100 + i, " table ", 100 + i));
    lines.push_back(absl::StrCat("route add default via ",
                                 Gateway(family, static_cast<std::uint8_t>(i)).ToString(),
                                 " table ", 100 + i));
  }
  return lines;
}

NetlinkRequest RequestFor(const DrawnRoute &route, std::uint32_t oif, bool last) {
  const int family = route.dst.address.family();
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(family);
  header.rtm_dst_len = static_cast<unsigned char>(route.dst.length);
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_BGP;
  header.rtm_type = RTN_UNICAST;
  NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | (last ? NLM_F_ACK : 0), header);
  request.Add(RTA_DST, route.dst.address);
  request.Add(RTA_GATEWAY, Gateway(family, route.hop));
  request.Add(RTA_OIF, oif);
  return request;
}

// The kernel's first complaint, or its acknowledgement of the last route.
absl::Status ReceiveAnswer(const Fd &socket) {
  alignas(nlmsghdr) std::array<std::uint8_t, 8192> buffer{};
  if (recv(socket.get(), buffer.data(), buffer.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "receive netlink's answer");
  nlmsgerr answer{};
  std::memcpy(&answer, NLMSG_DATA(buffer.data()), sizeof(answer));
  return answer.error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(-answer.error, "add a route");
}

absl::StatusOr<Fd> OpenNetlink() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return absl::ErrnoToStatus(errno, "open a netlink socket");
  return socket;
}

absl::Status Install(std::span<const DrawnRoute> table) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd socket, OpenNetlink());
  const std::uint32_t oif = if_nametoindex("v0");
  std::vector<std::uint8_t> batch;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const bool last = i + 1 == table.size();
    NetlinkRequest request = RequestFor(table[i], oif, last);
    const std::vector<std::uint8_t> &bytes = request.Finish();
    batch.insert(batch.end(), bytes.begin(), bytes.end());
    if (batch.size() < kBatchBytes && !last) continue;
    if (send(socket.get(), batch.data(), batch.size(), 0) < 0)
      return absl::ErrnoToStatus(errno, "send routes");
    batch.clear();
  }
  return ReceiveAnswer(socket);
}

}  // namespace

Host::Host(lab::Host host, std::vector<DrawnRoute> table)
    : host_(std::move(host)),
      table_(std::move(table)),
      addresses_(DrawAddresses(table_, kAddresses, 2)) {}

absl::StatusOr<std::unique_ptr<Host>> Host::Make(const Shape &shape, std::size_t routes) {
  SRCSEL_ASSIGN_OR_RETURN(lab::Host bare, lab::Host::Create("routes"));
  std::unique_ptr<Host> host(new Host(std::move(bare), DrawTable(shape, routes, 1)));
  SRCSEL_RETURN_IF_ERROR(
      host->host_.IpBatch(shape.family == AF_INET ? "-4" : "-6", Lines(shape.family)));
  SRCSEL_RETURN_IF_ERROR(lab::Within(host->netns(), [&] { return Install(host->table_); }));
  SRCSEL_ASSIGN_OR_RETURN(State state, host->Read());
  SRCSEL_ASSIGN_OR_RETURN(host->snapshot_, Snapshot::Make(std::move(state), 1));
  return host;
}

absl::StatusOr<State> Host::Read() const {
  return lab::Within(netns(), []() -> absl::StatusOr<State> {
    SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
    return reader.Read();
  });
}

absl::StatusOr<DefaultRouteChanger> DefaultRouteChanger::Open(const Host &host,
                                                              std::uint32_t table) {
  return lab::Within(host.netns(), [&]() -> absl::StatusOr<DefaultRouteChanger> {
    SRCSEL_ASSIGN_OR_RETURN(Fd socket, OpenNetlink());
    return DefaultRouteChanger(std::move(socket), if_nametoindex("v0"), table);
  });
}

absl::Status DefaultRouteChanger::ReplaceWith(const IpAddress &source) const {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(source.family());
  header.rtm_table = static_cast<unsigned char>(table_);
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_type = RTN_UNICAST;
  NetlinkRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE | NLM_F_ACK, header);
  request.Add(RTA_GATEWAY, Gateway(source.family(), 0));
  request.Add(RTA_OIF, oif_);
  request.Add(RTA_PREFSRC, source);
  const std::vector<std::uint8_t> &bytes = request.Finish();
  if (send(socket_.get(), bytes.data(), bytes.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "send a route");
  return ReceiveAnswer(socket_);
}

}  // namespace srcsel::bench
