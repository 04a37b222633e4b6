// What the rules make of one packet: the first of a connection, as this host sends it.
//
// The reference: it takes one step after the other, as the kernel does. compile_marks.hh, which
// sees all flows at once, must agree with it.
//
// Where a step cannot be known, both ways are gone; if they end alike, that is the outcome, else it
// is unknown. Pure and thread-safe. Cost: that of the rules passed; sets by bisection.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/rule_set.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct NfFlow {
  IpAddress destination;
  IpAddress source;  // that of the first route, unless the socket is bound
  std::uint8_t proto = IPPROTO_TCP;
  std::uint16_t dport = 0, sport = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t mark = 0;                    // SO_MARK
  std::optional<std::uint32_t> classid = 0;  // nothing: unknown
  std::uint8_t tos = 0;
  std::string cgroup = "/";
  std::string out_device;             // that of the first route
  std::uint8_t destination_type = 1;  // RTN_UNICAST
  std::uint8_t source_type = 2;       // RTN_LOCAL
};

struct NfOutcome {
  std::string unknown;  // the rule, and what about it; empty: all below is known
  bool dropped = false;
  std::uint32_t mark = 0;             // as the packet leaves
  std::uint32_t connection_mark = 0;  // left for the next ones
  std::uint32_t routed = 0;           // by which mark its route was looked up last
  std::vector<std::string> passed;    // the rules that held, in order

  bool EndsLike(const NfOutcome &other) const {
    return unknown.empty() && other.unknown.empty() && dropped == other.dropped &&
           (dropped || (mark == other.mark && connection_mark == other.connection_mark &&
                        routed == other.routed));
  }
};

NfOutcome Evaluate(const NfRuleSet &rules, const NfFlow &flow);

// Whether a device's name is the one that a rule means: "eth0", or "eth*" for all that begin so.
bool NameFits(const std::string &pattern, const std::string &name);
// Whether the cgroup, or one that it is in, is meant.
bool IsWithin(const std::string &cgroup, const std::string &path);
// Whether packets of the protocol have ports where netfilter looks for them.
bool HasPorts(std::uint32_t proto);

}  // namespace srcsel
