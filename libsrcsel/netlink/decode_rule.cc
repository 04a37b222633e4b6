#include "netlink/decode_rule.hh"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"

namespace srcsel {
namespace {

constexpr int kDscp = 25;           // Linux 6.12
constexpr int kFlowLabel = 26;      // Linux 6.14
constexpr int kFlowLabelMask = 27;  // Linux 6.14
constexpr int kSportMask = 28;      // Linux 6.15
constexpr int kDportMask = 29;      // Linux 6.15
constexpr int kDscpMask = 30;       // Linux 6.15

std::optional<Range16> Ports(const Attributes &a, int type) {
  const auto range = a.Get<fib_rule_port_range>(type);
  if (!range) return std::nullopt;
  return Range16{range->start, range->end};
}

template <typename T>
std::optional<T> UnlessFull(std::optional<T> mask, T full) {
  return mask == full ? std::nullopt : mask;
}

// 0 is how the kernel itself says that a range has no mask.
std::optional<std::uint16_t> PortMask(const Attributes &a, int type) {
  const auto mask = a.Get<std::uint16_t>(type);
  return mask == 0 ? std::nullopt : UnlessFull<std::uint16_t>(mask, 0xffff);
}

std::optional<Range32> Uids(const Attributes &a) {
  const auto range = a.Get<fib_rule_uid_range>(FRA_UID_RANGE);
  if (!range) return std::nullopt;
  return Range32{range->start, range->end};
}

std::optional<std::uint32_t> BigEndian32(const Attributes &a, int type) {
  const auto value = a.Get<std::uint32_t>(type);
  if (!value) return std::nullopt;
  return ntohl(*value);
}

void DecodeSelectors(const fib_rule_hdr &header, const Attributes &a, Rule &rule) {
  rule.from = a.PrefixOf(FRA_SRC, header.family, header.src_len);
  rule.to = a.PrefixOf(FRA_DST, header.family, header.dst_len);
  rule.iif = a.Name(FRA_IIFNAME);
  rule.oif = a.Name(FRA_OIFNAME);
  rule.mark = a.Get<std::uint32_t>(FRA_FWMARK).value_or(0);
  rule.mark_mask = a.Get<std::uint32_t>(FRA_FWMASK).value_or(rule.mark ? 0xffffffff : 0);
  rule.uids = Uids(a);
  rule.proto = a.Get<std::uint8_t>(FRA_IP_PROTO).value_or(0);
  rule.sports = Ports(a, FRA_SPORT_RANGE);
  rule.dports = Ports(a, FRA_DPORT_RANGE);
  rule.sport_mask = PortMask(a, kSportMask);
  rule.dport_mask = PortMask(a, kDportMask);
  rule.tos = header.tos;
  rule.dscp = a.Get<std::uint8_t>(kDscp);
  rule.dscp_mask = UnlessFull<std::uint8_t>(a.Get<std::uint8_t>(kDscpMask), 0x3f);
  rule.tun_id = be64toh(a.Get<std::uint64_t>(FRA_TUN_ID).value_or(0));
  rule.l3mdev = a.Get<std::uint8_t>(FRA_L3MDEV).value_or(0) != 0;
  rule.flow_label = BigEndian32(a, kFlowLabel);
  rule.flow_label_mask = UnlessFull<std::uint32_t>(BigEndian32(a, kFlowLabelMask), 0xfffff);
}

void DecodeAction(const fib_rule_hdr &header, const Attributes &a, Rule &rule) {
  rule.action = header.action;
  rule.table = a.Get<std::uint32_t>(FRA_TABLE).value_or(header.table);
  rule.goto_pref = a.Get<std::uint32_t>(FRA_GOTO).value_or(0);
  rule.suppress_plen = a.Get<std::int32_t>(FRA_SUPPRESS_PREFIXLEN).value_or(-1);
  rule.suppress_group = a.Get<std::uint32_t>(FRA_SUPPRESS_IFGROUP);
  rule.protocol = a.Get<std::uint8_t>(FRA_PROTOCOL).value_or(RTPROT_UNSPEC);
  rule.realm = a.Get<std::uint32_t>(FRA_FLOW).value_or(0);
}

}  // namespace

absl::StatusOr<Rule> DecodeRule(const nlmsghdr &message) {
  DecodeError error("rule");
  const auto header = ReadHeader<fib_rule_hdr>(message, RTM_NEWRULE, error);
  const Attributes a(message, sizeof(header), error);
  RequireIpFamily(header.family, error);

  Rule rule;
  rule.family = header.family;
  rule.pref = a.Get<std::uint32_t>(FRA_PRIORITY).value_or(0);
  rule.flags = header.flags;
  DecodeSelectors(header, a, rule);
  DecodeAction(header, a, rule);

  if (!error.ok()) return error.status();
  return rule;
}

}  // namespace srcsel
