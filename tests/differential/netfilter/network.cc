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
constexpr char kWatch[] = R"(table inet watch {
 set seen4 { typeof meta priority . meta mark . meta oifname . ip saddr; flags dynamic; size 65535; }
 set seen6 { typeof meta priority . meta mark . meta oifname . ip6 saddr; flags dynamic; size 65535; }
 chain post { type filter hook postrouting priority 1000;
  add @seen4 { meta priority . meta mark . meta oifname . ip saddr }
  add @seen6 { meta priority . meta mark . meta oifname . ip6 saddr }
 }
}
)";

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

// A socket belongs to whom the thread is in the file system when it is opened; hooks look at whom
// it is when it connects.
class ActingAs {
 public:
  ActingAs(std::uint32_t uid, std::uint32_t gid) {
    setfsgid(gid);
    setfsuid(uid);
  }
  ActingAs(const ActingAs &) = delete;
  ActingAs &operator=(const ActingAs &) = delete;
  ~ActingAs() {
    setfsuid(0);
    setfsgid(0);
  }
};

void Set(const Fd &fd, int level, int option, std::uint32_t value) {
  setsockopt(fd.get(), level, option, &value, sizeof(value));
}

}  // namespace

bool IsPing(const NfFlow &flow) {
  return flow.proto == IPPROTO_ICMP || flow.proto == IPPROTO_ICMPV6;
}

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
  ports_ = Fd(open("/proc/sys/net/ipv4/ip_local_port_range", O_WRONLY | O_CLOEXEC));
  if (!ports_) return absl::ErrnoToStatus(errno, "open ip_local_port_range");
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

absl::Status Network::Send(const NfFlow &flow, Call call, std::uint32_t number) {
  const std::string port = absl::StrCat(flow.sport, " ", flow.sport);
  if (pwrite(ports_.get(), port.data(), port.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "leave no port but " + std::to_string(flow.sport));
  const bool tcp = flow.proto == IPPROTO_TCP, v4 = flow.destination.is_v4();
  const int type = (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const ActingAs owner(flow.uid, flow.gid);
  const Fd fd(socket(flow.destination.family(), type, flow.proto));
  if (!fd) return absl::ErrnoToStatus(errno, "open a socket");
  if (flow.mark != 0) Set(fd, SOL_SOCKET, SO_MARK, flow.mark);
  Set(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, flow.tos);
  // IP_TOS sets it too.
  Set(fd, SOL_SOCKET, SO_PRIORITY, number);
  sockaddr_storage to;
  const socklen_t length = SockaddrOf(flow.destination, flow.dport, to);
  const auto *address = reinterpret_cast<sockaddr *>(&to);
  char packet[8] = {};
  if (IsPing(flow)) packet[0] = v4 ? ICMP_ECHO : static_cast<char>(ICMP6_ECHO_REQUEST);
  // A packet that a rule drops fails the call: it is missed where it would be seen.
  if (call == Call::kSendTo && !tcp)
    sendto(fd.get(), packet, sizeof(packet), 0, address, length);
  else if (connect(fd.get(), address, length) == 0)
    send(fd.get(), packet, sizeof(packet), 0);
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::uint32_t, Seen>> Network::TakeSeen() {
  SRCSEL_ASSIGN_OR_RETURN(const std::string listed,
                          RunProgram({"nft", "-j", "list", "table", "inet", "watch"}));
  SRCSEL_RETURN_IF_ERROR(
      Feed("nft -f -", "flush set inet watch seen4\nflush set inet watch seen6\n"));
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
      SRCSEL_ASSIGN_OR_RETURN(const IpAddress source,
                              IpAddress::Parse(parts[3].get<std::string>()));
      seen[major << 16 | minor] = {parts[1].get<std::uint32_t>(),
                                   static_cast<std::uint32_t>(name.back() - '0'), source};
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
