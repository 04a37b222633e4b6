// The problem itself: a client with two uplinks, and providers that check where packets come from.
//
//                     eth0 10.0.0.1 ----- telecom -----.
//             client                                    server 192.0.2.80, .81 (and IPv6)
//       eth1 10.1.0.1, 10.1.0.2 ---- unicom -----'
//
// The client's main default leaves by Telecom with `src 10.0.0.1`; the fwmark 100 leads to table
// 100, whose default leaves by Unicom with `src 10.1.0.1`. Both routers know a way to every network
// and drop what did not come from where they would send the answer: IPv4 by rp_filter=1, IPv6,
// which has no such sysctl, by an nft fib expression. The server answers each client network
// through its own provider. The IPv6 half has the same shape; fd00:1::1 is added after fd00:1::2,
// because of two equal IPv6 addresses MASQUERADE takes the younger.
//
// The client's rp_filter is 2 (loose), as systemd sets it: strict filtering would drop the answers
// that arrive on the second uplink. Its arp_announce is 2: with 0 it asks for the second gateway in
// the name of 10.0.0.1, the router does not answer, and a wrong SYN never gets as far as the wire.

#pragma once

#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "lab/lab.hh"

namespace srcsel::lab {

inline constexpr char kServer4[] = "192.0.2.80", kOtherServer4[] = "192.0.2.81";
inline constexpr char kServer6[] = "2001:db8:80::80", kOtherServer6[] = "2001:db8:80::81";

inline constexpr char kTelecomSource4[] = "10.0.0.1", kTelecomSource6[] = "fd00::1";
inline constexpr char kUnicomSource4[] = "10.1.0.1", kUnicomSource6[] = "fd00:1::1";
inline constexpr char kUnicomOtherSource4[] = "10.1.0.2", kUnicomOtherSource6[] = "fd00:1::2";

// One family of the scenario.
struct Family {
  const char *name, *server, *telecom, *unicom, *unicom_other;
};

inline void PrintTo(const Family &family, std::ostream *out) {
  *out << family.name;
}

inline constexpr Family kIpv4{"Ipv4", kServer4, kTelecomSource4, kUnicomSource4,
                              kUnicomOtherSource4};
inline constexpr Family kIpv6{"Ipv6", kServer6, kTelecomSource6, kUnicomSource6,
                              kUnicomOtherSource6};

// "http://192.0.2.80/", "http://[2001:db8:80::80]/".
inline std::string Url(const std::string &server) {
  return server.find(':') == std::string::npos ? "http://" + server + "/"
                                               : "http://[" + server + "]/";
}

Description TwoUplinks();

enum class Netfilter { kIptables, kIptablesLegacy, kNft };

// On the client: TCP to port 80 gets mark 100 in mangle OUTPUT, both families.
absl::Status MarkOutput(const Lab &lab, Netfilter tool = Netfilter::kIptables);

// On the client: what leaves by eth1 is masqueraded, both families.
absl::Status Masquerade(const Lab &lab);

// On the client: `from` rules that send whatever carries a Unicom address to table 100, as a server
// on this host would need for its answers; both families.
absl::Status RouteBySource(const Lab &lab);

}  // namespace srcsel::lab
