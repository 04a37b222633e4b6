#include "netlink/unlisted_routes.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "netlink/sibling_terms.hh"

namespace srcsel {
namespace {

// A line: destination, length, source, length, gateway, metric, references, use, flags, device.
// All but the device are in hexadecimal and of fixed width.
constexpr std::size_t kSelectors = 71;  // the columns of the first four
constexpr std::size_t kMetricAt = 105, kMetricWidth = 8;
constexpr std::size_t kFields = 10, kAddressWidth = 32;
constexpr int kPrefShift = 27;  // IPV6_EXTRACT_PREF()

struct Way {
  std::uint32_t oif;
  std::optional<IpAddress> gateway;
  std::uint8_t pref = 0;

  bool IsThatOf(const Nexthop &hop) const { return hop.oif == oif && hop.gateway == gateway; }
};

// The routes of one prefix and metric, in whatever tables.
struct Group {
  std::vector<std::size_t> sharing;
  std::vector<Nexthop> listed;
  std::vector<std::vector<Nexthop>> objects;  // of listed routes by a nexthop object: one is shown
  std::vector<Way> unlisted;
};

using Groups = absl::flat_hash_map<std::string, Group>;

std::string Hex(const Prefix &prefix) {
  const IpAddress address = prefix.length == 0 ? IpAddress::Any(AF_INET6) : prefix.address;
  const IpAddress::Bytes &bytes = address.bytes();
  return absl::StrCat(
      absl::BytesToHexString({reinterpret_cast<const char *>(bytes.data()), bytes.size()}), " ",
      absl::Hex(prefix.length, absl::kZeroPad2));
}

std::string KeyOf(const Prefix &dst, const RouteTerms &terms) {
  return absl::StrCat(Hex(dst), " ", Hex(terms.src), absl::Hex(terms.metric, absl::kZeroPad8));
}

std::size_t CountOf6(const Routes &routes) {
  return static_cast<std::size_t>(std::ranges::count_if(
      routes.entries(), [](const Routes::Entry &entry) { return !entry.dst.address.is_v4(); }));
}

Groups GroupsOf(const Routes &routes) {
  Groups groups;
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Routes::Entry &entry = routes.entries()[i];
    const RouteTerms &terms = routes.TermsOf(entry);
    if (SharesFlows(entry, terms)) groups[KeyOf(entry.dst, terms)].sharing.push_back(i);
  }
  if (groups.empty()) return groups;
  for (const Routes::Entry &entry : routes.entries()) {
    if (entry.dst.address.is_v4()) continue;
    const RouteTerms &terms = routes.TermsOf(entry);
    const auto group = groups.find(KeyOf(entry.dst, terms));
    if (group == groups.end()) continue;
    std::vector<Nexthop> &listed = group->second.listed;
    if (terms.nexthop_id != 0)
      group->second.objects.push_back(terms.nexthops);
    else
      listed.insert(listed.end(), terms.nexthops.begin(), terms.nexthops.end());
  }
  return groups;
}

std::optional<Way> WayOf(absl::string_view line, const State &state) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
  std::uint32_t flags = 0;
  if (fields.size() != kFields || fields[4].size() != kAddressWidth ||
      !absl::SimpleHexAtoi(fields[8], &flags))
    return std::nullopt;
  const auto link = std::ranges::find(state.links, fields[9], &Link::name);
  if (link == state.links.end()) return std::nullopt;
  const IpAddress via = IpAddress::FromBytes(AF_INET6, absl::HexStringToBytes(fields[4]).data());
  Way way{link->index, via, static_cast<std::uint8_t>(flags >> kPrefShift & 3)};
  if (via.IsUnspecified()) way.gateway.reset();
  return way;
}

// Without hops, an object shows what it has to nobody.
bool MayBeThatOf(const Way &way, const std::vector<Nexthop> &object) {
  return object.empty() ||
         std::ranges::any_of(object, [&](const Nexthop &hop) { return way.IsThatOf(hop); });
}

void Sort(const Way &way, Group &group) {
  const auto listed =
      std::ranges::find_if(group.listed, [&](const Nexthop &hop) { return way.IsThatOf(hop); });
  if (listed != group.listed.end()) {
    group.listed.erase(listed);
    return;
  }
  const auto object = std::ranges::find_if(
      group.objects, [&](const std::vector<Nexthop> &hops) { return MayBeThatOf(way, hops); });
  if (object != group.objects.end())
    group.objects.erase(object);
  else
    group.unlisted.push_back(way);
}

void Mark(const Group &group, Routes &routes) {
  for (const std::size_t i : group.sharing) {
    const Prefix dst = routes.entries()[i].dst;
    RouteTerms terms = routes.TermsOf(routes.entries()[i]);
    terms.not_all_shown = true;
    routes.SetTerms(i, routes.Keep(terms));
    for (const Way &way : group.unlisted) {
      RouteTerms unlisted;
      unlisted.src = terms.src;
      unlisted.table = terms.table;
      unlisted.type = RTN_UNICAST;
      unlisted.metric = terms.metric;
      unlisted.pref = way.pref;
      unlisted.nexthops = {{way.oif, way.gateway}};
      unlisted.not_all_shown = true;
      routes.push_back(dst, routes.Keep(unlisted));
    }
  }
}

}  // namespace

void AddUnlistedRoutes(absl::FunctionRef<std::string()> read, State &state) {
  if (CountOf6(state.routes) > kMostListedRoutes) return;
  Groups groups = GroupsOf(state.routes);
  if (groups.empty()) return;
  const std::string text = read();
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    if (line.size() < kMetricAt + kMetricWidth) continue;
    const auto group =
        groups.find(absl::StrCat(line.substr(0, kSelectors), line.substr(kMetricAt, kMetricWidth)));
    if (group == groups.end()) continue;
    if (const std::optional<Way> way = WayOf(line, state)) Sort(*way, group->second);
  }
  for (const auto &[key, group] : groups)
    if (!group.unlisted.empty()) Mark(group, state.routes);
}

}  // namespace srcsel
