#include "agent/routed_ways.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "agent/uplink.hh"
#include "lookup/select.hh"
#include "netfilter/numbers.hh"
#include <srcsel/selection.hh>

namespace srcsel {
namespace {

constexpr std::size_t kCuts = 20'000;

// Both ends of a prefix: where it begins, and what comes after it.
void Cut(const Prefix &prefix, std::vector<IpAddress> &cuts) {
  cuts.push_back(prefix.Network().address);
  const IpAddress after = NextOf(LastOf(prefix.Network()));
  if (!after.IsUnspecified()) cuts.push_back(after);
}

// What the kernel tells apart besides what the state names: addresses without a route of their own,
// and kinds of IPv6 addresses that choose other sources.
std::vector<Prefix> Special(int family) {
  std::vector<Prefix> prefixes;
  const std::initializer_list<const char *> v4 = {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16",
                                                  "224.0.0.0/4", "255.255.255.255"},
                                            v6 = {"::",       "::1",          "::ffff:0:0/96",
                                                  "::/96",    "2001:10::/28", "2001:20::/28",
                                                  "fc00::/7", "fe80::/10",    "fec0::/10",
                                                  "ff00::/8"};
  for (const char *text : family == AF_INET ? v4 : v6) prefixes.push_back(*Prefix::Parse(text));
  return prefixes;
}

std::vector<IpAddress> CutsOf(const State &state, int family) {
  std::vector<IpAddress> cuts = {IpAddress::Any(family)};
  for (const Prefix &prefix : Special(family)) Cut(prefix, cuts);
  for (const Routes::Entry &route : state.routes.entries())
    if (route.dst.address.family() == family) Cut(route.dst, cuts);
  for (const Rule &rule : state.rules)
    if (rule.family == family && rule.to.length != 0) Cut(rule.to, cuts);
  if (family == AF_INET6) {
    for (const AddressLabel &label : state.labels) Cut(label.prefix, cuts);
    // Of two sources the one that has more bits in common with the destination is preferred.
    for (const InterfaceAddress &address : state.addresses)
      for (int bits = 1; address.local.family() == family && bits <= 128; ++bits)
        Cut({address.local, bits}, cuts);
  }
  std::ranges::sort(cuts);
  const auto rest = std::ranges::unique(cuts);
  cuts.erase(rest.begin(), rest.end());
  return cuts;
}

// What the engine leaves alone before it asks any policy: its way does not matter.
bool IsExempt(const IpAddress &destination) {
  return (destination.is_v4() ? destination.bytes()[0] == 0 : destination.IsUnspecified()) ||
         destination.IsLoopback() || destination.IsLinkLocal() || destination.IsMulticast() ||
         destination.IsBroadcast() || destination.IsV4Mapped();
}

bool HasMoreSelectors(const Rule &rule) {
  return rule.uids || rule.proto != 0 || rule.sports || rule.dports || rule.sport_mask ||
         rule.dport_mask || rule.tos != 0 || rule.dscp || rule.l3mdev || rule.flow_label;
}

// Whether routes of the family hang on more than mark and destination.
bool HangsOnMore(const State &state, int family) {
  return std::ranges::any_of(
             state.rules,
             [&](const Rule &rule) { return rule.family == family && HasMoreSelectors(rule); }) ||
         std::ranges::any_of(state.routes.terms(),
                             [](const RouteTerms &terms) { return terms.tos != 0; });
}

// A value under the mask that is none of these.
std::optional<std::uint32_t> AnotherThan(const std::vector<std::uint32_t> &values,
                                         std::uint32_t mask) {
  // Counts through the values of the mask's bits.
  std::uint32_t value = 0;
  do {
    if (std::ranges::find(values, value) == values.end()) return value;
    value = (value - mask) & mask;
  } while (value != 0);
  return std::nullopt;
}

FirstWays::Marks MarksOfRules(const State &state, int family) {
  FirstWays::Marks marks;
  bool alike = true;
  for (const Rule &rule : state.rules) {
    if (rule.family != family || rule.mark_mask == 0) continue;
    alike &= marks.mask == 0 || marks.mask == rule.mark_mask;
    marks.mask |= rule.mark_mask;
    marks.values.push_back(rule.mark & rule.mark_mask);
  }
  if (!alike) marks.values.clear();
  if (marks.mask == 0) return marks;
  marks.values.push_back(0);
  std::ranges::sort(marks.values);
  const auto rest = std::ranges::unique(marks.values);
  marks.values.erase(rest.begin(), rest.end());
  if (alike) marks.other = AnotherThan(marks.values, marks.mask);
  return marks;
}

}  // namespace

RoutedWays::OfFamily &RoutedWays::Prepare(int family) {
  asked_ = true;
  const auto [known, is_new] = families_.try_emplace(family);
  OfFamily &of = known->second;
  if (!is_new) return of;
  of.marks = MarksOfRules(state_, family);
  if (!whole_ || HangsOnMore(state_, family) || state_.routes.size() > kCuts) return of;
  if (snapshot_ == nullptr) {
    auto made = Snapshot::Make(state_, 1);
    if (!made.ok()) return of;
    snapshot_ = *std::move(made);
  }
  of.cuts = CutsOf(state_, family);
  if (of.cuts.size() > kCuts) of.cuts.clear();
  return of;
}

const FirstWays::Marks &RoutedWays::MarksOf(int family) {
  return Prepare(family).marks;
}

std::shared_ptr<const NfWays> RoutedWays::Of(int family, std::uint32_t mark,
                                             std::optional<std::uint32_t> bound_by) {
  const OfFamily &of = Prepare(family);
  if (of.cuts.empty()) return nullptr;
  const auto [known, is_new] = ways_.try_emplace({family, mark, bound_by});
  if (is_new) known->second = std::make_shared<const NfWays>(WorkOut(of.cuts, mark, bound_by));
  return known->second;
}

NfWays RoutedWays::WorkOut(const std::vector<IpAddress> &cuts, std::uint32_t mark,
                           std::optional<std::uint32_t> bound_by) const {
  std::map<Way, std::vector<Prefix>> all;
  for (std::size_t i = 0; i < cuts.size();) {
    const Way way = WayTo(cuts[i], mark, bound_by);
    std::size_t end = i + 1;
    while (end < cuts.size() && WayTo(cuts[end], mark, bound_by) == way) ++end;
    const IpAddress last =
        end < cuts.size() ? PreviousOf(cuts[end]) : LastOf(Prefix::Default(cuts.front().family()));
    std::vector<Prefix> &of_way = all[way];
    std::ranges::move(PrefixesOf(cuts[i], last), std::back_inserter(of_way));
    i = end;
  }
  NfWays ways;
  std::vector<Prefix> unknown;
  for (auto &[way, prefixes] : all) {
    if (way.kind == Way::kUnknown) unknown = std::move(prefixes);
    if (way.kind == Way::kKnown)
      ways.parts.push_back(
          {DeviceName(state_, way.device), way.source, MakePrefixes("", std::move(prefixes))});
  }
  ways.unknown = MakePrefixes("", std::move(unknown));
  return ways;
}

RoutedWays::Way RoutedWays::WayTo(const IpAddress &destination, std::uint32_t mark,
                                  std::optional<std::uint32_t> bound_by) const {
  if (IsExempt(destination)) return {};
  Flow flow;
  flow.destination = destination;
  flow.dport = 443;
  flow.source = IpAddress::Any(destination.family());
  flow.mark = bound_by.value_or(mark);
  const Way way = WayOf(flow);
  if (!bound_by || way.kind == Way::kUnknown) return way;
  flow.mark = mark;
  if (way.kind == Way::kKnown) flow.source = way.source;
  return WayOf(flow);
}

// A connection's packets leave as its last lookup says, a datagram's as its only one.
RoutedWays::Way RoutedWays::WayOf(const Flow &flow) const {
  std::optional<Way> all;
  for (const Selection &selection : {Select(*snapshot_, flow), Lookup(*snapshot_, flow)}) {
    if (!selection.complete) return {Way::kUnknown};
    std::vector<Outcome> outcomes = selection.candidates;
    if (selection.exact()) outcomes = {selection.outcome};
    for (const Outcome &outcome : outcomes) {
      Way way;
      if (outcome.error == 0 && outcome.type == RTN_UNICAST)
        way = {Way::kKnown, outcome.oif,
               flow.source.IsUnspecified() ? outcome.source : flow.source};
      if (all && *all != way) return {Way::kUnknown};
      all = way;
    }
  }
  return all.value_or(Way{Way::kUnknown});
}

}  // namespace srcsel
