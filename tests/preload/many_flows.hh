// A policy with a rule of every kind, and flows that come to each of them in every way there is.

#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/match.h"

namespace srcsel::lab {

inline constexpr char kManyRules[] = R"(
[pool.unicom]
members = [ "10.1.0.1", "10.1.0.2", "fd00:1::1", "fd00:1::2" ]
[pool.chance]
members = [ "10.1.0.1", "10.1.0.2", "fd00:1::1", "fd00:1::2" ]
pick = "random"
[pool.turns]
members = [ "10.1.0.1", "10.1.0.2", "fd00:1::1", "fd00:1::2" ]
pick = "round-robin"
[pool.six]
members = [ "fd00:1::2" ]
[[rule]]
to = [ "192.0.2.80", "10.0.0.1", "127.0.0.0/8" ]
mark = 100
[[rule]]
to = "192.0.2.81"
source = "10.1.0.2"
mark = 100
[[rule]]
to = [ "192.0.2.82", "192.0.2.83", "192.0.2.84", "2001:db8:80::81", "2001:db8:80::91",
       "2001:db8:80::92" ]
source = "pool unicom"
[[rule]]
to = [ "192.0.2.85", "2001:db8:80::80", "10.0.0.255" ]
mark = 100
apply = "bind"
[[rule]]
to = "192.0.2.86"
source = "fd00:1::1"
[[rule]]
to = [ "192.0.2.87", "2001:db8:80::87" ]
dport = 54
mark = 100
[[rule]]
to = [ "2001:db8:80::82", "fd00::1", "::1", "fd00::/64" ]
mark = 100
[[rule]]
to = "2001:db8:80::83"
source = "fd00:1::2"
mark = 100
[[rule]]
to = "2001:db8:80::84"
source = "10.1.0.2"
[[rule]]
to = "2001:db8:80::85"
source = "dev eth1"
[[rule]]
to = [ "192.0.2.100", "2001:db8:80::100" ]
ipproto = "tcp"
source = [ "10.1.0.2", "fd00:1::2" ]
[[rule]]
to = [ "192.0.2.100", "2001:db8:80::100" ]
mark = 100
[[rule]]
to = [ "192.0.2.101", "2001:db8:80::101" ]
source = [ "10.1.0.1", "fd00:1::1" ]
ports = "40000-40099"
[[rule]]
to = [ "192.0.2.103", "2001:db8:80::103" ]
source = "pool chance"
[[rule]]
to = [ "192.0.2.104", "2001:db8:80::104" ]
source = "pool turns"
[[rule]]
to = "192.0.2.105"
source = "fd00:1::1"
on-fail = "reject"
[[rule]]
to = "192.0.2.106"
source = "pool six"
on-fail = "reject"
[[rule]]
to = [ "192.0.2.107", "2001:db8:80::107" ]
mark = 200
apply = "bind"
on-fail = "reject"
[[rule]]
to = [ "192.0.2.108", "2001:db8:80::108" ]
uidrange = 65534
source = [ "10.1.0.2", "fd00:1::2" ]
[[rule]]
to = [ "192.0.2.109", "2001:db8:80::109" ]
gid = 1000
mark = 100
[[rule]]
to = [ "192.0.2.110", "2001:db8:80::110" ]
comm = "courier"
source = [ "10.1.0.1", "fd00:1::1" ]
[[rule]]
to = "2001:db8:80::/64"
source = "fd00::1"
)";

inline const std::vector<std::string> kDestinations{
    "192.0.2.80",        "10.0.0.1",
    "127.0.0.9",         "192.0.2.81",
    "192.0.2.82",        "192.0.2.83",
    "192.0.2.84",        "192.0.2.85",
    "192.0.2.86",        "192.0.2.87",
    "192.0.2.100",       "192.0.2.101",
    "192.0.2.103",       "192.0.2.104",
    "192.0.2.105",       "192.0.2.106",
    "192.0.2.107",       "192.0.2.108",
    "192.0.2.109",       "192.0.2.110",
    "::ffff:192.0.2.80", "::ffff:192.0.2.81",
    "::ffff:192.0.2.85", "::ffff:192.0.2.101",
    "2001:db8:80::80",   "2001:db8:80::81",
    "2001:db8:80::91",   "2001:db8:80::92",
    "2001:db8:80::82",   "2001:db8:80::83",
    "2001:db8:80::84",   "2001:db8:80::85",
    "2001:db8:80::87",   "2001:db8:80::100",
    "2001:db8:80::101",  "2001:db8:80::103",
    "2001:db8:80::104",  "2001:db8:80::107",
    "2001:db8:80::108",  "2001:db8:80::109",
    "2001:db8:80::110",  "2001:db8:81::1",
    "fd00::1",           "fd00::254",
    "10.0.0.255",        "::1",
};

struct Flow {
  std::string kind, to;
  int port;

  // Which of the pool's addresses it gets is not to be foreseen.
  bool any_member() const { return absl::EndsWith(to, "103") || absl::EndsWith(to, "104"); }
  // It gets one of the rule's. A socket that only sends has any.
  bool has_ports() const { return absl::EndsWith(to, "101") && kind != "datagram"; }

  friend std::ostream &operator<<(std::ostream &out, const Flow &flow) {
    return out << flow.kind << " " << flow.to << " port " << flow.port;
  }
};

// Of addresses that the server is to have.
inline bool IsServers(const std::string &address) {
  return absl::StartsWith(address, "192.0.2.") || absl::StartsWith(address, "2001:db8:80:");
}

// Datagrams to port 7 get an answer, which tells their source.
inline std::vector<Flow> Flows() {
  std::vector<Flow> flows;
  for (const char *kind : {"udp", "tcp", "datagram"})
    for (const std::string &to : kDestinations) flows.push_back({kind, to, 53});
  for (const std::string &to : kDestinations)
    if (IsServers(to) || absl::StartsWith(to, "::ffff:")) flows.push_back({"datagram", to, 7});
  return flows;
}

}  // namespace srcsel::lab
