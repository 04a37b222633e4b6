#include "print_route.hh"

#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace srcsel {
namespace {

using Json = RoutePrinter::Json;

std::string TypeName(std::uint8_t type) {
  switch (type) {
    case RTN_LOCAL:
      return "local";
    case RTN_BROADCAST:
      return "broadcast";
    case RTN_ANYCAST:
      return "anycast";
    case RTN_MULTICAST:
      return "multicast";
    default:
      return absl::StrCat(static_cast<int>(type));
  }
}

std::string PrefName(std::uint8_t pref) {
  switch (pref) {
    case ICMPV6_ROUTER_PREF_LOW:
      return "low";
    case ICMPV6_ROUTER_PREF_HIGH:
      return "high";
    default:
      return "medium";
  }
}

std::string MarkText(std::uint32_t mark) {
  return mark >= 16 ? absl::StrFormat("0x%x", mark) : absl::StrCat(mark);
}

// The kernel's flag for multicast is the number that `ip` knows as this.
constexpr char kMulticastFlag[] = "rt_offload_failed";

// Of IPv6 routes, and not that which `ip` gives those it is told nothing about.
bool HasProtocol(const Flow &flow, const Outcome &outcome) {
  return !flow.destination.is_v4() && outcome.protocol != RTPROT_UNSPEC &&
         outcome.protocol != RTPROT_BOOT;
}

// The source, where the kernel tells one: not again what the question was bound to.
std::string SourceText(const Flow &flow, const Outcome &outcome) {
  if (!flow.source.IsUnspecified()) return outcome.hint ? outcome.hint->ToString() : "";
  return outcome.source.IsUnspecified() ? "" : outcome.source.ToString();
}

}  // namespace

RoutePrinter::RoutePrinter(const std::vector<Link> &links) : links_(links) {}

std::string RoutePrinter::DeviceName(std::uint32_t index) const {
  for (const Link &link : links_)
    if (link.index == index) return link.name;
  return absl::StrCat("if", index);
}

std::string RoutePrinter::NameOr(const IprouteNames &names, std::uint32_t number) {
  const std::string name = names.NameOf(number);
  return name.empty() ? absl::StrCat(number) : name;
}

std::string RoutePrinter::TosName(std::uint8_t tos) const {
  const std::string name = ds_fields_.NameOf(tos);
  return name.empty() ? absl::StrFormat("0x%02x", tos) : name;
}

// What `ip` finds in the upper half of an IPv4 answer's flags.
std::vector<std::string> RoutePrinter::CacheFlags(const Flow &flow, const Outcome &outcome) const {
  bool loopback = false;
  for (const Link &link : links_)
    if (link.index == outcome.oif) loopback = (link.flags & IFF_LOOPBACK) != 0;
  const bool multicast = outcome.type == RTN_MULTICAST, broadcast = outcome.type == RTN_BROADCAST;
  std::vector<std::string> flags;
  if (multicast ? groups_.Joined(outcome.oif, flow.destination) : broadcast || loopback)
    flags.emplace_back("local");
  if (multicast) flags.emplace_back("mc");
  if (broadcast) flags.emplace_back("brd");
  return flags;
}

std::string RoutePrinter::Text(const Flow &flow, const Outcome &outcome) const {
  if (outcome.error != 0)
    return absl::StrCat("RTNETLINK answers: ", std::strerror(outcome.error), "\n");
  const bool v4 = flow.destination.is_v4();
  std::string text;
  const auto add = [&](const auto &...words) { absl::StrAppend(&text, words..., " "); };
  if (outcome.type != RTN_UNICAST) add(TypeName(outcome.type));
  add(flow.destination.ToString());
  if (!v4 || !flow.source.IsUnspecified()) add("from ", flow.source.ToString());
  if (outcome.tos != 0) add("tos ", TosName(outcome.tos));
  if (outcome.gateway) {
    const bool other = outcome.gateway->is_v4() != v4;
    add("via ", !other ? "" : v4 ? "inet6 " : "inet ", outcome.gateway->ToString());
  }
  add("dev ", DeviceName(outcome.oif));
  if (outcome.table != 0 && outcome.table != RT_TABLE_MAIN)
    add("table ", NameOr(tables_, outcome.table));
  if (HasProtocol(flow, outcome)) add("proto ", NameOr(protocols_, outcome.protocol));
  if (const std::string source = SourceText(flow, outcome); !source.empty()) add("src ", source);
  if (!v4) {
    add("metric ", outcome.metric);
    if (outcome.mtu != 0) add("mtu ", outcome.mtu);
    return absl::StrCat(text, "pref ", PrefName(outcome.pref), "\n");
  }
  if (outcome.type == RTN_MULTICAST) add(kMulticastFlag);
  if (flow.mark != 0) add("mark ", MarkText(flow.mark));
  add("uid ", flow.uid);
  absl::StrAppend(&text, "\n    cache ");
  if (const auto flags = CacheFlags(flow, outcome); !flags.empty())
    add("<", absl::StrJoin(flags, ","), ">");
  if (outcome.mtu != 0) add("mtu ", outcome.mtu);
  return text + "\n";
}

std::string RoutePrinter::Summary(const Outcome &outcome) const {
  std::string text = outcome.type == RTN_UNICAST ? "" : TypeName(outcome.type) + " ";
  if (outcome.gateway) absl::StrAppend(&text, "via ", outcome.gateway->ToString(), " ");
  absl::StrAppend(&text, "dev ", DeviceName(outcome.oif), " table ", NameOr(tables_, outcome.table),
                  " src ", outcome.source.ToString());
  if (outcome.mtu != 0) absl::StrAppend(&text, " mtu ", outcome.mtu);
  return text;
}

std::string RoutePrinter::Words(const Flow &flow) const {
  Flow unbound = flow;
  unbound.oif = 0;
  const std::string words = unbound.ToString();
  return flow.oif == 0 ? words : absl::StrCat(words, " oif ", DeviceName(flow.oif));
}

Json RoutePrinter::Object(const Flow &flow, const Outcome &outcome) const {
  if (outcome.error != 0) return {{"error", std::strerror(outcome.error)}};
  const bool v4 = flow.destination.is_v4();
  Json json = Json::object();
  if (outcome.type != RTN_UNICAST) json["type"] = TypeName(outcome.type);
  json["dst"] = flow.destination.ToString();
  if (!v4 || !flow.source.IsUnspecified()) json["from"] = flow.source.ToString();
  if (outcome.tos != 0) json["tos"] = TosName(outcome.tos);
  if (outcome.gateway && outcome.gateway->is_v4() == v4)
    json["gateway"] = outcome.gateway->ToString();
  else if (outcome.gateway)
    json["via"] = {{"family", v4 ? "inet6" : "inet"}, {"host", outcome.gateway->ToString()}};
  json["dev"] = DeviceName(outcome.oif);
  if (outcome.table != 0 && outcome.table != RT_TABLE_MAIN)
    json["table"] = NameOr(tables_, outcome.table);
  if (HasProtocol(flow, outcome)) json["protocol"] = NameOr(protocols_, outcome.protocol);
  if (const std::string source = SourceText(flow, outcome); !source.empty())
    json["prefsrc"] = source;
  if (!v4) json["metric"] = outcome.metric;
  json["flags"] = Json::array();
  if (v4) {
    if (outcome.type == RTN_MULTICAST) json["flags"].push_back(kMulticastFlag);
    if (flow.mark != 0) json["mark"] = flow.mark;
    json["uid"] = flow.uid;
    json["cache"] = CacheFlags(flow, outcome);
  }
  if (outcome.mtu != 0) json["metrics"] = {{{"mtu", outcome.mtu}}};
  if (!v4) json["pref"] = PrefName(outcome.pref);
  return json;
}

}  // namespace srcsel
