#include "network.hh"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "netfilter/run_program.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kWays = 4;
constexpr char kWatch[] =
    "table inet watch {\n"
    " set seen { typeof meta priority . meta mark . meta oifname; flags dynamic; size 65535; }\n"
    " chain post { type filter hook postrouting priority 1000; add @seen { meta priority . meta "
    "mark "
    ". meta oifname }; }\n"
    "}\n";

absl::StatusOr<Fd> MakeDevice(const std::string &name) {
  Fd tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (!tun || ioctl(tun.get(), TUNSETIFF, &request) != 0)
    return absl::ErrnoToStatus(errno, "make device " + name);
  return tun;
}

socklen_t SockaddrOf(const IpAddress &address, std::uint16_t port, sockaddr_storage &out) {
  out = {};
  out.ss_family = static_cast<sa_family_t>(address.family());
  if (address.is_v4()) {
    auto &in = reinterpret_cast<sockaddr_in &>(out);
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes().data(), 4);
    return sizeof(in);
  }
  auto &in = reinterpret_cast<sockaddr_in6 &>(out);
  in.sin6_port = htons(port);
  std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
  return sizeof(in);
}

bool IsPing(const NfFlow &flow) {
  return flow.proto == IPPROTO_ICMP || flow.proto == IPPROTO_ICMPV6;
}

// A socket belongs to whom the thread is in the file system when it is opened.
Fd OpenAs(const NfFlow &flow, int type) {
  setfsgid(flow.gid);
  setfsuid(flow.uid);
  Fd fd(socket(flow.destination.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, flow.proto));
  setfsuid(0);
  setfsgid(0);
  return fd;
}

void Set(const Fd &fd, int level, int option, std::uint32_t value) {
  setsockopt(fd.get(), level, option, &value, sizeof(value));
}

}  // namespace

IpAddress Network::AddressOf(int family, std::uint32_t way) {
  return *IpAddress::Parse(family == AF_INET ? absl::StrCat("10.9.", way, ".1")
                                             : absl::StrCat("fd09:", way, "::1"));
}

std::uint32_t Network::WayOf(const IpAddress &destination, std::uint32_t mark) {
  const std::uint8_t last = destination.bytes()[destination.size() - 1];
  return (mark + (last >= 4 && last < 8 ? 1 : 0)) % kWays;
}

absl::Status Network::Open() {
  if (unshare(CLONE_NEWNET) != 0) return absl::ErrnoToStatus(errno, "make a network namespace");
  std::ofstream("/proc/sys/net/ipv4/ping_group_range") << "0 2147483647";
  std::string ip = "link set lo up\n", ip6, late, late6;
  for (std::uint32_t i = 0; i < kWays; ++i) {
    SRCSEL_ASSIGN_OR_RETURN(Fd device, MakeDevice(absl::StrCat("u", i)));
    devices_.push_back(std::move(device));
    const std::string v4 = AddressOf(AF_INET, i).ToString(), v6 = AddressOf(AF_INET6, i).ToString();
    absl::StrAppend(&ip, "link set u", i, " up\naddr add ", v4, "/24 dev u", i, "\naddr add ", v6,
                    "/64 dev u", i, " nodad\nroute add default dev u", i, " src ", v4, " table ",
                    100 + i, "\nrule add fwmark ", i, "/3 lookup ", 100 + i, "\n");
    const std::uint32_t next = (i + 1) % kWays;
    for (int net = 0; net < 3; ++net) {
      absl::StrAppend(&late, "route add 198.51.", net, ".4/30 dev u", next, " src ",
                      AddressOf(AF_INET, next).ToString(), " table ", 100 + i, "\n");
      absl::StrAppend(&late6, "route add 2001:db8::", net, ":4/126 dev u", next, " src ",
                      AddressOf(AF_INET6, next).ToString(), " table ", 100 + i, "\n");
    }
    absl::StrAppend(&ip6, "route add default dev u", i, " src ", v6, " table ", 100 + i,
                    "\nrule add fwmark ", i, "/3 lookup ", 100 + i, "\n");
  }
  SRCSEL_RETURN_IF_ERROR(Feed("ip -batch -", ip + late));
  SRCSEL_RETURN_IF_ERROR(Feed("ip -6 -batch -", ip6 + late6));
  return Feed("nft -f -", kWatch);
}

absl::Status Network::Send(const NfFlow &flow, bool bound, std::uint32_t number) {
  const bool tcp = flow.proto == IPPROTO_TCP, v4 = flow.destination.is_v4();
  const Fd fd = OpenAs(flow, tcp ? SOCK_STREAM : SOCK_DGRAM);
  if (!fd) return absl::ErrnoToStatus(errno, "open a socket");
  Set(fd, SOL_SOCKET, SO_MARK, flow.mark);
  Set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, flow.tos);
  // IP_TOS sets it too.
  Set(fd, SOL_SOCKET, SO_PRIORITY, number);
  Set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  sockaddr_storage at, to;
  const IpAddress local = bound ? flow.source : IpAddress::Any(flow.destination.family());
  if (bind(fd.get(), reinterpret_cast<sockaddr *>(&at), SockaddrOf(local, flow.sport, at)) != 0)
    return absl::ErrnoToStatus(errno, "bind to port " + std::to_string(flow.sport));
  const socklen_t length = SockaddrOf(flow.destination, flow.dport, to);
  char packet[8] = {};
  if (IsPing(flow)) packet[0] = v4 ? ICMP_ECHO : static_cast<char>(ICMP6_ECHO_REQUEST);
  if (tcp)
    connect(fd.get(), reinterpret_cast<sockaddr *>(&to), length);
  else
    sendto(fd.get(), packet, sizeof(packet), 0, reinterpret_cast<sockaddr *>(&to), length);
  // A packet that a rule drops fails the call: it is missed where it would be seen.
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::uint32_t, Seen>> Network::TakeSeen() {
  SRCSEL_ASSIGN_OR_RETURN(const std::string listed,
                          RunProgram({"nft", "-j", "list", "set", "inet", "watch", "seen"}));
  SRCSEL_RETURN_IF_ERROR(Feed("nft -f -", "flush set inet watch seen\n"));
  std::map<std::uint32_t, Seen> seen;
  const nlohmann::json document = nlohmann::json::parse(listed);
  for (const nlohmann::json &item : document["nftables"]) {
    if (!item.contains("set") || !item["set"].contains("elem")) continue;
    for (nlohmann::json element : item["set"]["elem"]) {
      if (element.contains("elem")) element = element["elem"]["val"];
      const nlohmann::json &parts = element["concat"];
      unsigned major = 0, minor = 0;
      const std::string priority = parts[0].is_string() ? parts[0].get<std::string>() : "";
      std::sscanf(priority.c_str(), "%x:%x", &major, &minor);
      const auto name = parts[2].get<std::string>();
      seen[major << 16 | minor] = {parts[1].get<std::uint32_t>(),
                                   static_cast<std::uint32_t>(name.back() - '0')};
    }
  }
  return seen;
}

absl::Status Feed(const std::string &program, const std::string &text) {
  FILE *to = popen(program.c_str(), "w");
  if (to == nullptr) return absl::ErrnoToStatus(errno, "run " + program);
  std::fputs(text.c_str(), to);
  if (pclose(to) != 0) return absl::UnknownError(absl::StrCat(program, " refuses:\n", text));
  return absl::OkStatus();
}

}  // namespace srcsel
