#include "netlink/ask_route.hh"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/status.hh"
#include "netlink/decode_route.hh"
#include "netlink/request.hh"

namespace srcsel {
namespace {

constexpr int kFlowLabel = 31;  // RTA_FLOWLABEL, since Linux 6.14

NetlinkRequest RequestFor(const Flow &flow, std::uint32_t flags, std::uint32_t sequence) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(flow.destination.family());
  header.rtm_dst_len = static_cast<unsigned char>(flow.destination.bits());
  const bool bound = !flow.source.IsUnspecified();
  if (bound) header.rtm_src_len = header.rtm_dst_len;
  header.rtm_tos = flow.tos;
  header.rtm_flags = flags;
  if (flow.destination.is_v4()) header.rtm_flags |= RTM_F_LOOKUP_TABLE;  // IPv6 always tells it
  NetlinkRequest request(RTM_GETROUTE, 0, header, sequence);
  request.Add(RTA_DST, flow.destination);
  if (bound) request.Add(RTA_SRC, flow.source);
  if (flow.oif) request.Add(RTA_OIF, flow.oif);
  if (flow.mark) request.Add(RTA_MARK, flow.mark);
  request.Add(RTA_UID, flow.uid);
  if (flow.proto) request.Add(RTA_IP_PROTO, flow.proto);
  if (flow.sport) request.Add(RTA_SPORT, htons(flow.sport));
  if (flow.dport) request.Add(RTA_DPORT, htons(flow.dport));
  if (flow.label) request.Add(kFlowLabel, htonl(flow.label));
  return request;
}

absl::StatusOr<Outcome> Decode(const Flow &flow, const nlmsghdr &message) {
  if (message.nlmsg_type == NLMSG_ERROR) {
    nlmsgerr answer{};
    std::memcpy(&answer, NLMSG_DATA(&message), sizeof(answer));
    return Outcome{.error = -answer.error};
  }
  SRCSEL_ASSIGN_OR_RETURN(const Route route, DecodeRoute(message));
  const Nexthop &hop = route.nexthops.front();
  Outcome outcome;
  outcome.source = flow.source;
  if (flow.source.IsUnspecified())
    outcome.source = route.prefsrc.value_or(IpAddress::Any(flow.destination.family()));
  outcome.oif = hop.oif;
  outcome.gateway = hop.gateway;
  outcome.table = route.table;
  outcome.type = route.type;
  outcome.metric = route.metric;
  outcome.mtu = route.mtu;
  outcome.tos = route.tos;
  outcome.protocol = route.protocol;
  outcome.pref = route.pref;
  return outcome;
}

}  // namespace

absl::StatusOr<RouteAsker> RouteAsker::Open() {
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  return RouteAsker(std::move(socket));
}

absl::StatusOr<Outcome> RouteAsker::Ask(const Flow &flow) {
  Reply reply;
  SRCSEL_RETURN_IF_ERROR(Receive(flow, 0, reply));
  return Decode(flow, reply.message());
}

absl::StatusOr<std::optional<Route>> RouteAsker::AskRoute(const Flow &flow) {
  Reply reply;
  SRCSEL_RETURN_IF_ERROR(Receive(flow, RTM_F_FIB_MATCH, reply));
  if (reply.message().nlmsg_type == NLMSG_ERROR) return std::nullopt;
  SRCSEL_ASSIGN_OR_RETURN(Route route, DecodeRoute(reply.message()));
  return route;
}

absl::Status RouteAsker::Receive(const Flow &flow, std::uint32_t flags, Reply &reply) {
  NetlinkRequest request = RequestFor(flow, flags, ++sequence_);
  const auto &bytes = request.Finish();
  if (send(socket_.fd(), bytes.data(), bytes.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "ask for a route");
  for (;;) {
    const ssize_t size = recv(socket_.fd(), reply.data(), reply.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "receive a route asked for");
    const nlmsghdr &message = reply.message();
    if (size < NLMSG_HDRLEN || message.nlmsg_len > size)
      return absl::DataLossError("receive a route asked for: the message is cut short");
    if (message.nlmsg_seq == sequence_) return absl::OkStatus();
  }
}

}  // namespace srcsel
