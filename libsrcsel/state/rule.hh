// An ip rule (FIB rule) with every attribute the kernel dumps. Rules are kept in dump order, which
// is the order of evaluation.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <srcsel/address.hh>

namespace srcsel {

struct Range16 {
  std::uint16_t first = 0, last = 65535;
  friend bool operator==(const Range16 &, const Range16 &) = default;
};

struct Range32 {
  std::uint32_t first = 0, last = 0xffffffff;
  friend bool operator==(const Range32 &, const Range32 &) = default;
};

struct Rule {
  int family = AF_INET;  // AF_INET or AF_INET6
  std::uint32_t pref = 0;
  std::uint8_t action = 1;  // FR_ACT_*
  std::uint32_t flags = 0;  // FIB_RULE_* (INVERT is 2)
  std::uint32_t table = 0;  // RT_TABLE_*, authoritative 32-bit value
  std::uint32_t goto_pref = 0;

  Prefix from, to;                        // length 0: not a selector
  std::string iif, oif;                   // empty: not a selector
  std::uint32_t mark = 0, mark_mask = 0;  // mask 0: not a selector
  std::optional<Range32> uids;
  std::uint8_t proto = 0;  // 0: not a selector
  std::optional<Range16> sports, dports;
  std::optional<std::uint16_t> sport_mask, dport_mask;  // Linux 6.15
  std::uint8_t tos = 0;                                 // header tos, 0: not a selector
  std::optional<std::uint8_t> dscp, dscp_mask;          // six bits, Linux 6.12 and 6.15
  std::uint64_t tun_id = 0;                             // 0: not a selector
  bool l3mdev = false;
  std::optional<std::uint32_t> flow_label, flow_label_mask;  // IPv6, Linux 6.14

  std::int32_t suppress_plen = -1;  // -1: none
  std::optional<std::uint32_t> suppress_group;
  std::uint8_t protocol = 0;  // originator (RTPROT_*), not a selector
  std::uint32_t realm = 0;    // not a selector

  friend bool operator==(const Rule &, const Rule &) = default;
};

}  // namespace srcsel
