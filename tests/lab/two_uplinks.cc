#include "lab/two_uplinks.hh"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

// Neighbour discovery is not routed, so its sources are not checked.
constexpr char kStrictSourceCheck6[] = R"(
table ip6 strict {
  chain prerouting {
    type filter hook prerouting priority raw;
    icmpv6 type { nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert } accept
    fib saddr . iif oif eq 0 counter drop
  }
}
)";

constexpr char kMarkOutputNft[] = R"(
table inet uplinks {
  chain output {
    type route hook output priority mangle;
    tcp dport 80 meta mark set 100
  }
}
)";

HostPlan Client() {
  return {.name = "client",
          .sysctls = {"net.ipv4.conf.all.rp_filter=2", "net.ipv4.conf.all.arp_announce=2"},
          .ip = {"route add default via 10.0.0.254 src 10.0.0.1", "rule add fwmark 100 table 100",
                 "route add default via 10.1.0.254 src 10.1.0.1 table 100"},
          .ip6 = {"route add default via fd00::254 src fd00::1", "rule add fwmark 100 table 100",
                  "route add default via fd00:1::254 src fd00:1::1 table 100"}};
}

HostPlan Provider(absl::string_view name, absl::string_view server4, absl::string_view server6) {
  return {.name = std::string(name),
          .sysctls = {"net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1",
                      "net.ipv4.conf.all.rp_filter=1", "net.ipv4.conf.access.rp_filter=1",
                      "net.ipv4.conf.core.rp_filter=1"},
          .ip = {absl::StrCat("route add default via ", server4)},
          .ip6 = {absl::StrCat("route add default via ", server6)},
          .nft = kStrictSourceCheck6};
}

HostPlan Server() {
  return {
      .name = "server",
      .addresses = {"192.0.2.80/32", "192.0.2.81/32", "2001:db8:80::80/128", "2001:db8:80::81/128"},
      .sysctls = {"net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.eth0.rp_filter=0",
                  "net.ipv4.conf.eth1.rp_filter=0"},
      .ip = {"route add 10.0.0.0/24 via 198.51.100.1", "route add 10.1.0.0/24 via 203.0.113.1"},
      .ip6 = {"route add fd00::/64 via 2001:db8:a::1", "route add fd00:1::/64 via 2001:db8:b::1"}};
}

absl::Status Iptables(const Host &host, absl::string_view rule, absl::string_view variant = "") {
  SRCSEL_RETURN_IF_ERROR(host.Do(absl::StrCat("iptables", variant, " ", rule)).status());
  return host.Do(absl::StrCat("ip6tables", variant, " ", rule)).status();
}

}  // namespace

Description TwoUplinks() {
  return {
      .hosts = {Client(), Provider("telecom", "198.51.100.2", "2001:db8:a::2"),
                Provider("unicom", "203.0.113.2", "2001:db8:b::2"), Server()},
      .wires = {{{"client", "eth0", {"10.0.0.1/24", "fd00::1/64"}},
                 {"telecom", "access", {"10.0.0.254/24", "fd00::254/64"}}},
                {{"client", "eth1", {"10.1.0.1/24", "10.1.0.2/24", "fd00:1::2/64", "fd00:1::1/64"}},
                 {"unicom", "access", {"10.1.0.254/24", "fd00:1::254/64"}}},
                {{"telecom", "core", {"198.51.100.1/30", "2001:db8:a::1/64"}},
                 {"server", "eth0", {"198.51.100.2/30", "2001:db8:a::2/64"}}},
                {{"unicom", "core", {"203.0.113.1/30", "2001:db8:b::1/64"}},
                 {"server", "eth1", {"203.0.113.2/30", "2001:db8:b::2/64"}}}}};
}

absl::Status MarkOutput(const Lab &lab, Netfilter tool) {
  const Host &client = lab.host("client");
  if (tool == Netfilter::kNft) return client.Nft(kMarkOutputNft);
  return Iptables(client, "-t mangle -A OUTPUT -p tcp --dport 80 -j MARK --set-mark 100",
                  tool == Netfilter::kIptablesLegacy ? "-legacy" : "");
}

absl::Status Masquerade(const Lab &lab) {
  return Iptables(lab.host("client"), "-t nat -A POSTROUTING -o eth1 -j MASQUERADE");
}

absl::Status RouteBySource(const Lab &lab) {
  const Host &client = lab.host("client");
  SRCSEL_RETURN_IF_ERROR(client.Ip("-4 rule add from 10.1.0.0/24 table 100").status());
  return client.Ip("-6 rule add from fd00:1::/64 table 100").status();
}

}  // namespace srcsel::lab
