// What the kernel does with a flow: the answer of Lookup and Select.
//
// An answer is exact, or it is ambiguous: something decides that the kernel does not show. Then the
// candidates are all outcomes that are possible, the kernel's among them.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include <srcsel/address.hh>

namespace srcsel {

// Why an answer is not exact.
enum class Ambiguity : std::uint8_t {
  kNone,
  kMerged,    // the local and main tables may still be one
  kHash,      // the hash that chooses among paths has a secret seed or a port not chosen yet
  kRotation,  // several default routes take turns
  kNexthop,   // what a nexthop remembers may be of another day or, of a nexthop object, hang on
              // which of its routes was looked up before
  kDevices,   // the order of devices, any of which may lend an address, is not known
  kPort,      // rules select by the source port, which is not chosen yet
  kVrf,       // a VRF, which is not mirrored
  kRules,     // an IPv6 rule that finds its source itself, or boot-time rules that are missing
  kRoutes,    // an IPv6 route of which the kernel does not show all, or that it may pass by
};

// One word, stable: "merged", "hash", ...; "exact" for kNone.
absl::string_view AmbiguityWord(Ambiguity ambiguity);
// A sentence for people.
absl::string_view AmbiguityText(Ambiguity ambiguity);

inline constexpr std::uint32_t kNoRule = 0xffffffff;

struct Outcome {
  // Of connect() or the lookup: ENETUNREACH, EHOSTUNREACH, EACCES, EINVAL, ENODEV, EADDRNOTAVAIL;
  // 0: the flow leaves. With an error nothing below is set but rule and table.
  int error = 0;
  // 0.0.0.0 where a host without addresses sends from that; of an IPv6 lookup alone, :: where there
  // is a route and no source for it.
  IpAddress source = {};
  std::uint32_t oif = 0;  // interface index that packets leave by; that of lo to this host itself
  std::optional<IpAddress> gateway = {};  // may be of the other family
  std::uint32_t rule = kNoRule;           // preference of the ip rule that decided
  std::uint32_t table = 0;                // of the route; 0: none decided
  std::uint8_t type = 0;                  // RTN_*
  Prefix dst = {};  // of the route; length 0 of the flow's family where there is none
  std::uint32_t metric = 0;
  std::uint32_t nexthop_id = 0;  // of the nexthop object, 0: none
  // If the route has one, else 0. Routes that share a nexthop object may get each other's.
  std::uint32_t mtu = 0;
  std::uint8_t tos = 0;       // of the route, IPv4
  std::uint8_t protocol = 0;  // of the route, RTPROT_*, IPv6
  std::uint8_t pref = 0;      // of the route, ICMPV6_ROUTER_PREF_*, IPv6
  // Of an IPv6 lookup alone: the source that a flow bound to another would get if it were not.
  std::optional<IpAddress> hint = {};

  friend bool operator==(const Outcome &, const Outcome &) = default;
};

struct Selection {
  Outcome outcome;  // if ambiguous, one of the candidates
  Ambiguity why = Ambiguity::kNone;
  std::vector<Outcome> candidates;  // empty if exact
  // False if some candidates cannot even be named (kVrf, kRules, kRoutes).
  bool complete = true;
  std::uint64_t generation = 0;  // of the state it was chosen from

  bool exact() const { return why == Ambiguity::kNone; }
};

}  // namespace srcsel
