#include "lab/capture.hh"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lab/netns.hh"

namespace srcsel::lab {
namespace {

using Bytes = std::span<const std::uint8_t>;

absl::StatusOr<Fd> Listen(const std::string &interface) {
  Fd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int room = 16 << 20;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (!socket || address.sll_ifindex == 0 ||
      setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0 ||
      bind(socket.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) != 0)
    return absl::ErrnoToStatus(errno, "capture on " + interface);
  return socket;
}

std::uint16_t Port(Bytes transport, std::size_t offset) {
  return static_cast<std::uint16_t>(transport[offset] << 8 | transport[offset + 1]);
}

std::optional<Packet> ParseTransport(int protocol, Bytes transport, IpAddress from, IpAddress to) {
  constexpr std::size_t kTcpFlags = 13;
  constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;
  if (transport.size() < 8) return std::nullopt;
  if ((protocol == IPPROTO_ICMP && transport[0] == ICMP_ECHO) ||
      (protocol == IPPROTO_ICMPV6 && transport[0] == ICMP6_ECHO_REQUEST))
    return Packet{Packet::Kind::kEcho, {from, Port(transport, 4)}, {to, 0}};
  const Endpoint source{from, Port(transport, 0)}, destination{to, Port(transport, 2)};
  if (protocol == IPPROTO_UDP) return Packet{Packet::Kind::kUdp, source, destination};
  if (protocol != IPPROTO_TCP || transport.size() <= kTcpFlags) return std::nullopt;
  const bool syn = (transport[kTcpFlags] & (kSyn | kAck)) == kSyn;
  return Packet{syn ? Packet::Kind::kSyn : Packet::Kind::kOtherTcp, source, destination};
}

std::optional<Packet> Parse(int ethertype, Bytes packet) {
  if (ethertype == ETH_P_IP && packet.size() >= 20) {
    const std::size_t header = static_cast<std::size_t>(packet[0] & 0x0f) * 4;
    if (packet.size() < header) return std::nullopt;
    return ParseTransport(packet[9], packet.subspan(header),
                          IpAddress::FromBytes(AF_INET, &packet[12]),
                          IpAddress::FromBytes(AF_INET, &packet[16]));
  }
  if (ethertype == ETH_P_IPV6 && packet.size() >= 40)
    return ParseTransport(packet[6], packet.subspan(40), IpAddress::FromBytes(AF_INET6, &packet[8]),
                          IpAddress::FromBytes(AF_INET6, &packet[24]));
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Capture> Capture::Start(const Fd &netns, const std::string &interface) {
  SRCSEL_ASSIGN_OR_RETURN(Fd socket, Within(netns, [&] { return Listen(interface); }));
  return Capture(std::move(socket));
}

absl::StatusOr<std::vector<Packet>> Capture::Sent() {
  std::uint8_t bytes[256];  // headers are enough; the rest of a packet is cut off
  sockaddr_ll address{};
  while (true) {
    socklen_t length = sizeof(address);
    const ssize_t size = recvfrom(socket_.get(), bytes, sizeof(bytes), 0,
                                  reinterpret_cast<sockaddr *>(&address), &length);
    if (size < 0) break;
    if (address.sll_pkttype != PACKET_OUTGOING) continue;
    const std::optional<Packet> packet =
        Parse(ntohs(address.sll_protocol), Bytes(bytes, static_cast<std::size_t>(size)));
    if (packet) sent_.push_back(*packet);
  }
  if (errno != EAGAIN) return absl::ErrnoToStatus(errno, "read captured packets");
  SRCSEL_RETURN_IF_ERROR(CheckNothingLost());
  return sent_;
}

absl::Status Capture::CheckNothingLost() const {
  tpacket_stats lost{};
  socklen_t size = sizeof(lost);
  if (getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &lost, &size) != 0)
    return absl::ErrnoToStatus(errno, "read the statistics of a capture");
  if (lost.tp_drops == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("capture: ", lost.tp_drops, " packets lost"));
}

absl::StatusOr<std::vector<Endpoint>> Capture::SynSources(const IpAddress &to) {
  return Sources(Packet::Kind::kSyn, to);
}

absl::StatusOr<std::vector<Endpoint>> Capture::DatagramSources(const IpAddress &to) {
  return Sources(Packet::Kind::kUdp, to);
}

absl::StatusOr<std::vector<Endpoint>> Capture::Sources(Packet::Kind kind, const IpAddress &to) {
  SRCSEL_RETURN_IF_ERROR(Sent().status());
  std::vector<Endpoint> sources;
  for (const Packet &packet : sent_)
    if (packet.kind == kind && packet.to.address == to) sources.push_back(packet.from);
  return sources;
}

}  // namespace srcsel::lab
