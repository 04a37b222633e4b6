// A host with something of everything that `ip route get` prints: two links up and their far ends,
// tables by name and number, routes of all types, gateways of both families, nexthop objects,
// metrics, preferences, protocols, and rules by mark, source, port, uid and tos.
//
// Nothing changes by itself, and nothing is hidden: gateways have permanent neighbours, there is
// one default route a table, and the seed of multipath hashes is known.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lab/host.hh"

namespace srcsel {

inline std::vector<std::string> RichLinks4() {
  std::vector<std::string> lines = {"link set lo up"};
  for (const int i : {0, 1}) {
    lines.push_back(absl::StrCat("link add v", i, " type veth peer name w", i));
    for (const char *end : {"v", "w"}) {
      lines.push_back(absl::StrCat("link set ", end, i, " addrgenmode none"));
      lines.push_back(absl::StrCat("link set ", end, i, " up"));
    }
    lines.push_back(absl::StrCat("address add 10.", i, ".0.1/24 brd + dev v", i));
    lines.push_back(
        absl::StrCat("neigh add 10.", i, ".0.254 lladdr 02:00:00:00:00:01 nud permanent dev v", i));
  }
  return lines;
}

inline std::vector<std::string> RichLinks6() {
  std::vector<std::string> lines;
  for (const int i : {0, 1}) {
    lines.push_back(absl::StrCat("address add fd0", i, "::1/64 dev v", i, " nodad"));
    lines.push_back(
        absl::StrCat("neigh add fd0", i, "::fe lladdr 02:00:00:00:00:01 nud permanent dev v", i));
  }
  return lines;
}

inline std::vector<std::string> RichRoutes4() {
  return {
      "rule add fwmark 100 table 100",
      "rule add fwmark 0x200/0xff00 table 1000",
      "rule add from 10.1.0.0/24 table 1000",
      "rule add ipproto tcp dport 400-500 uidrange 1000-2000 table 100",
      "rule add ipproto udp sport 53 table 100",
      "rule add tos 0x10 table 100",
      "rule add to 203.0.113.0/24 prohibit",
      "rule add to 203.0.114.0/24 blackhole",
      "nexthop add id 7 via 10.1.0.254 dev v1",
      "route add default via 10.0.0.254 dev v0",
      "route add default via 10.1.0.254 dev v1 src 10.1.0.1 table 100",
      "route add default via 10.1.0.254 table 1000",
      "route add 20.0.0.0/8 via inet6 fd00::fe dev v0",
      "route add 21.0.0.0/8 via 10.0.0.254 mtu 1400",
      "route add 22.0.0.0/8 dev v0",
      "route add unreachable 23.0.0.0/8",
      "route add prohibit 24.0.0.0/8",
      "route add blackhole 25.0.0.0/8",
      "route add throw 26.0.0.0/8",
      "route add 27.0.0.0/8 nhid 7",
      "route add 28.0.0.0/8 nexthop via 10.0.0.254 nexthop via 10.1.0.254",
      "route add local 30.0.0.0/8 dev lo",
      "route add local 31.0.0.0/8 dev lo src 10.1.0.1 mtu 900",
      "route add 32.0.0.0/8 via 10.0.0.254 metric 77 proto static",
      "route add 33.0.0.0/8 via 99.9.9.9 dev v0 onlink",
      "route add 40.0.0.0/8 via 10.0.0.254 tos 0x10",
      "route add 40.0.0.0/8 via 10.1.0.254",
      "route add 234.0.0.0/8 via 10.1.0.254 mtu 1200",
      "route add broadcast 51.0.0.1 dev v0 mtu 900",
      "route add anycast 52.0.0.1 dev v0",
  };
}

inline std::vector<std::string> RichRoutes6() {
  return {
      "rule add fwmark 100 table 100",
      "rule add fwmark 0x200/0xff00 table 1000",
      "rule add from fd01::/64 table 1000",
      "rule add ipproto tcp dport 400-500 uidrange 1000-2000 table 100",
      "rule add tos 0x10 table 100",
      "rule add to 2001:db8:ffff::/48 prohibit",
      "nexthop add id 8 via fd01::fe dev v1",
      "route add default via fd00::fe dev v0 pref high",
      "route add default via fd01::fe dev v1 table 100",
      "route add default via fd01::fe dev v1 table 1000 proto bird",
      "route add 2001:db8:1::/48 via fd01::fe dev v1 metric 5",
      "route add 2001:db8:2::/48 via fd01::fe dev v1 mtu 1300 pref low",
      "route add unreachable 2001:db8:3::/48",
      "route add prohibit 2001:db8:4::/48",
      "route add blackhole 2001:db8:5::/48",
      "route add 2001:db8:6::/48 via fd01::fe dev v1 expires 6000 proto static",
      "route add local 2001:db8:7::/48 dev lo",
      "route add 2001:db8:8::/48 via fd01::fe dev v1 src fd00::1 proto 200",
      "route add 2001:db8:9::/48 nhid 8",
      "route add 2001:db8:a::/48 nexthop via fd01::fe nexthop via fd00::fe",
      "route add 2001:db8:b::/48 from fd00::/64 via fd01::fe dev v1",
      "route add 2001:db8:c::/48 from ::/1 via fd01::fe dev v1",
      "route add anycast fd00::77 dev v0",
  };
}

inline absl::StatusOr<lab::Host> MakeRichHost() {
  SRCSEL_ASSIGN_OR_RETURN(lab::Host host, lab::Host::Create("rich"));
  SRCSEL_RETURN_IF_ERROR(host.SetSysctl("net.ipv4.fib_multipath_hash_seed", "7"));
  SRCSEL_RETURN_IF_ERROR(host.IpBatch("-4", RichLinks4()));
  SRCSEL_RETURN_IF_ERROR(host.IpBatch("-6", RichLinks6()));
  SRCSEL_RETURN_IF_ERROR(host.IpBatch("-4", RichRoutes4()));
  SRCSEL_RETURN_IF_ERROR(host.IpBatch("-6", RichRoutes6()));
  return host;
}

}  // namespace srcsel
