// The hash by which the kernel spreads flows over the paths of a multipath route or nexthop group:
// fib_multipath_hash() for IPv4, rt6_multipath_hash() for IPv6, of a flow that has no packet yet.
//
// Contract: the hash of one lookup of Linux 6.18. The kernel hashes again in every lookup with what
// it then knows: the source of an IPv4 flow is 0.0.0.0 in the first lookup of an unbound socket and
// the chosen address in those that follow.
//
// No answer where the kernel's own input is hidden or random: the seed is 0 (the kernel then uses a
// secret of its boot; Linux before 6.11 always does), or the source port is hashed and any_sport is
// set. Before Linux 6.16 nothing sets any_sport: TCP hashes source port 0.
//
// Pure. Cost: one SipHash of 48 (IPv4) or 72 bytes (IPv6), some 20 ns.

#pragma once

#include <cstdint>
#include <optional>

#include "state/settings.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct MultipathFlow {
  IpAddress dst;                 // its family is the flow's
  IpAddress src;                 // unspecified: not chosen yet
  std::uint8_t proto = 0;        // IPPROTO_*
  std::uint16_t sport = 0;       // 0 where the protocol has no ports
  std::uint16_t dport = 0;       //
  std::uint32_t flow_label = 0;  // IPv6, 20 bits
  bool any_sport = false;        // the port was not chosen when the connect began (FLOWI flag 8)
};

// 31 bits.
std::optional<std::uint32_t> FlowHash(const Settings &settings, const MultipathFlow &flow);

}  // namespace srcsel
