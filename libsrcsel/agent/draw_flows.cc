#include "agent/draw_flows.hh"

#include <netinet/in.h>
#include <unistd.h>

#include <initializer_list>
#include <optional>

namespace srcsel {
namespace {

Prefix Host(const IpAddress &address) {
  return {address, address.bits()};
}

// Broadcast, multicast, this host itself, documentation: what no table need name.
constexpr const char *kSpecial[] = {
    "255.255.255.255", "224.0.0.0/24", "239.0.0.0/8",    "127.0.0.0/8", "0.0.0.0",
    "192.0.2.0/24",    "240.0.0.0/4",  "169.254.0.0/16", "::1",         "fe80::/64",
    "ff02::/64",       "ff0e::/64",    "2001:db8::/32",  "fc00::/7",
};

// A number, and those on both sides.
template <typename T>
void AddAround(T value, std::vector<T> &all) {
  for (const int step : {-1, 0, 1}) all.push_back(static_cast<T>(value + static_cast<T>(step)));
}

void AddPorts(const std::optional<Range16> &range, std::vector<std::uint16_t> &ports) {
  if (!range) return;
  AddAround(range->first, ports);
  AddAround(range->last, ports);
}

}  // namespace

FlowDrawer::FlowDrawer(const State &state, std::uint64_t seed) : state_(state), random_(seed) {
  for (const char *text : kSpecial) around_.push_back(Prefix::Parse(text).value());
  uids_.push_back(getuid());
  for (const InterfaceAddress &address : state.addresses) {
    around_.push_back(Host(address.local));
    around_.push_back(address.subnet);
    own_[address.local.family() == AF_INET6].push_back(address.local);
  }
  for (const Neighbour &neighbour : state.neighbours) around_.push_back(Host(neighbour.address));
  for (const Rule &rule : state.rules) {
    for (const Prefix &prefix : {rule.from, rule.to})
      if (prefix.length != 0) around_.push_back(prefix);
    if (rule.mark_mask != 0) {
      marks_.push_back(rule.mark);
      marks_.push_back(rule.mark | (static_cast<std::uint32_t>(random_()) & ~rule.mark_mask));
      marks_.push_back(rule.mark ^ (rule.mark_mask & -rule.mark_mask));
    }
    if (rule.uids) {
      AddAround(rule.uids->first, uids_);
      AddAround(rule.uids->last, uids_);
    }
    AddPorts(rule.sports, ports_);
    AddPorts(rule.dports, ports_);
    if (rule.tos != 0) dsfields_.push_back(rule.tos);
    if (rule.dscp) dsfields_.push_back(static_cast<std::uint8_t>(*rule.dscp << 2));
  }
  for (const RouteTerms &terms : state.routes.terms())
    if (terms.tos != 0) dsfields_.push_back(terms.tos);
  // (uid_t)-1 is no user's.
  std::erase(uids_, 0xffffffff);
}

IpAddress FlowDrawer::Anywhere(int family) {
  std::uint64_t bits[2] = {random_(), random_()};
  if (family == AF_INET6) reinterpret_cast<std::uint8_t *>(bits)[0] = 0x20;
  return IpAddress::FromBytes(family, bits);
}

// Its first address, its last, one within, or one that differs in the last bit of the prefix.
IpAddress FlowDrawer::In(const Prefix &prefix) {
  IpAddress::Bytes bytes = prefix.Network().address.bytes();
  const auto set = [&](int bit, bool on) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
    bytes[bit / 8] = static_cast<std::uint8_t>(on ? bytes[bit / 8] | mask : bytes[bit / 8] & ~mask);
  };
  const std::uint64_t how = Below(8);
  for (int bit = prefix.length; bit < prefix.address.bits(); ++bit)
    set(bit, how == 1 || (how > 1 && Once(2)));
  if (how == 2 && prefix.length > 0)
    set(prefix.length - 1, (bytes[(prefix.length - 1) / 8] & 0x80 >> (prefix.length - 1) % 8) == 0);
  return IpAddress::FromBytes(prefix.address.family(), bytes.data());
}

IpAddress FlowDrawer::Destination() {
  const std::uint64_t how = Below(10);
  if (how == 0) return Anywhere(Once(2) ? AF_INET : AF_INET6);
  if (how < 4 || state_.routes.size() == 0) return In(OneOf(around_));
  return In(state_.routes.entries()[Below(state_.routes.size())].dst);
}

Flow FlowDrawer::Next() {
  Flow flow;
  flow.destination = Destination();
  const bool v4 = flow.destination.is_v4();
  const std::vector<IpAddress> &own = own_[v4 ? 0 : 1];
  flow.source = !own.empty() && Once(4) ? OneOf(own) : IpAddress::Any(flow.destination.family());
  const std::uint8_t icmp = v4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
  flow.proto = OneOf(std::vector<std::uint8_t>{IPPROTO_TCP, IPPROTO_UDP, icmp});
  if (flow.proto == IPPROTO_TCP || flow.proto == IPPROTO_UDP) {
    flow.dport = OneOf(ports_);
    if (Once(3)) flow.sport = OneOf(ports_);
  }
  flow.mark = OneOf(marks_);
  flow.uid = OneOf(uids_);
  flow.tos = OneOf(dsfields_);
  flow.oif_strict = false;
  if (!state_.links.empty() && Once(5)) flow.oif = OneOf(state_.links).index;
  return flow;
}

}  // namespace srcsel
