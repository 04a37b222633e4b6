// What was read, in the words of `ip -N -d -j`: keys, order of members aside, and values as
// iproute2 6.1 prints them. Written from its output, so that two readers of the same messages are
// compared.

#pragma once

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "state/state.hh"

namespace srcsel {

using Json = nlohmann::json;

class AsIpPrints {
 public:
  explicit AsIpPrints(const State &state) {
    for (const Link &link : state.links) names_[link.index] = link.name;
  }

  Json operator()(const Rule &rule) const {
    Json json = {{"priority", rule.pref}, {"protocol", Text(rule.protocol)}};
    PutSelectors(rule, json);
    PutAction(rule, json);
    return json;
  }

  Json operator()(const Route &route) const {
    Json json = {{"type", Text(route.type)},         {"dst", RouteDst(route.dst)},
                 {"protocol", Text(route.protocol)}, {"scope", Text(route.scope)},
                 {"table", Text(route.table)},       {"flags", Flags(route.flags)}};
    if (route.src.length) json["from"] = route.src.ToString();
    if (route.nexthop_id) json["nhid"] = route.nexthop_id;
    if (route.tos) json["tos"] = Hex(route.tos);
    if (route.prefsrc) json["prefsrc"] = route.prefsrc->ToString();
    if (route.metric || !route.dst.address.is_v4()) json["metric"] = route.metric;
    if (route.mtu) json["metrics"] = Json::array({{{"mtu", route.mtu}}});
    if (route.expires) json["expires"] = *route.expires / 100;
    if (!route.dst.address.is_v4()) json["pref"] = Pref(route.pref);
    if (route.nexthops.size() == 1) {
      PutNexthop(route.dst, route.nexthops[0], json);
      return json;
    }
    for (const Nexthop &hop : route.nexthops) {
      Json one = {{"weight", hop.weight}, {"flags", Flags(hop.flags)}};
      PutNexthop(route.dst, hop, one);
      json["nexthops"].push_back(one);
    }
    return json;
  }

  Json operator()(const NexthopObject &object) const {
    Json json = {{"id", object.id},
                 {"scope", Text(object.scope)},
                 {"flags", Flags(object.flags)},
                 {"protocol", "0"}};
    if (object.gateway) json["gateway"] = object.gateway->ToString();
    if (object.oif) json["dev"] = names_.at(object.oif);
    if (object.blackhole) json["blackhole"] = nullptr;
    if (object.fdb) json["fdb"] = nullptr;
    for (const NexthopMember &member : object.group) {
      json["group"].push_back({{"id", member.id}});
      if (member.weight != 1) json["group"].back()["weight"] = member.weight;
    }
    if (object.resilient) {
      json["type"] = "resilient";
      json["resilient_args"] = {{"buckets", object.buckets.size()}};
    }
    return json;
  }

  Json operator()(const Neighbour &neighbour) const {
    static const std::map<int, std::string> kStates = {
        {NUD_INCOMPLETE, "INCOMPLETE"}, {NUD_REACHABLE, "REACHABLE"}, {NUD_STALE, "STALE"},
        {NUD_DELAY, "DELAY"},           {NUD_PROBE, "PROBE"},         {NUD_FAILED, "FAILED"},
        {NUD_NOARP, "NOARP"},           {NUD_PERMANENT, "PERMANENT"}};
    return {{"dst", neighbour.address.ToString()},
            {"dev", names_.at(neighbour.ifindex)},
            {"state", {kStates.at(neighbour.state)}}};
  }

  Json operator()(const AddressLabel &label) const {
    Json json = {{"address", label.prefix.address.ToString()},
                 {"prefixlen", label.prefix.length},
                 {"label", label.label}};
    if (label.ifindex) json["ifname"] = names_.at(label.ifindex);
    return json;
  }

 private:
  static std::string Text(std::uint32_t number) { return absl::StrCat(number); }
  static std::string Hex(std::uint32_t number) { return absl::StrCat("0x", absl::Hex(number)); }

  static void PutPrefix(const char *key, const Prefix &prefix, Json &json) {
    if (prefix.length == 0) return;
    json[key] = prefix.address.ToString();
    if (prefix.length != prefix.address.bits()) json[absl::StrCat(key, "len")] = prefix.length;
  }

  static void PutPorts(const std::string &key, const std::optional<Range16> &ports, Json &json) {
    if (!ports) return;
    if (ports->first == ports->last) {
      json[key] = ports->first;
      return;
    }
    json[key + "_start"] = ports->first;
    json[key + "_end"] = ports->last;
  }

  static void PutSelectors(const Rule &rule, Json &json) {
    if (rule.flags & FIB_RULE_INVERT) json["not"] = nullptr;
    json["src"] = "all";
    PutPrefix("src", rule.from, json);
    PutPrefix("dst", rule.to, json);
    if (rule.tos) json["tos"] = Hex(rule.tos);
    if (rule.mark || rule.mark_mask) json["fwmark"] = rule.mark ? Hex(rule.mark) : "0";
    if (rule.mark_mask && rule.mark_mask != 0xffffffff) json["fwmask"] = Hex(rule.mark_mask);
    if (!rule.iif.empty()) json["iif"] = rule.iif;
    if (!rule.oif.empty()) json["oif"] = rule.oif;
    if (rule.flags & FIB_RULE_IIF_DETACHED) json["iif_detached"] = nullptr;
    if (rule.flags & FIB_RULE_OIF_DETACHED) json["oif_detached"] = nullptr;
    if (rule.l3mdev) json["l3mdev"] = nullptr;
    if (rule.uids) json["uid_start"] = rule.uids->first, json["uid_end"] = rule.uids->last;
    if (rule.proto) json["ipproto"] = absl::StrCat("ipproto-", rule.proto);
    PutPorts("sport", rule.sports, json);
    PutPorts("dport", rule.dports, json);
    if (rule.tun_id) json["tun_id"] = rule.tun_id;
  }

  static void PutAction(const Rule &rule, Json &json) {
    if (rule.table) json["table"] = Text(rule.table);
    if (rule.suppress_plen != -1) json["suppress_prefixlen"] = rule.suppress_plen;
    if (rule.suppress_group) json["suppress_ifgroup"] = Text(*rule.suppress_group);
    if (rule.realm) json["flow_to"] = Text(rule.realm);
    if (rule.action == FR_ACT_GOTO) json["goto"] = rule.goto_pref;
    if (rule.flags & FIB_RULE_UNRESOLVED) json["unresolved"] = nullptr;
    if (rule.action == FR_ACT_NOP) json["nop"] = nullptr;
    if (rule.action > FR_ACT_NOP) json["action"] = Text(rule.action);
  }

  static Json Flags(std::uint32_t flags) {
    Json json = Json::array();
    if (flags & RTNH_F_DEAD) json.push_back("dead");
    if (flags & RTNH_F_ONLINK) json.push_back("onlink");
    if (flags & RTNH_F_LINKDOWN) json.push_back("linkdown");
    return json;
  }

  static std::string RouteDst(const Prefix &dst) {
    if (dst.length == 0) return "default";
    return dst.length == dst.address.bits() ? dst.address.ToString() : dst.ToString();
  }

  static std::string Pref(std::uint8_t pref) {
    return pref == 1 ? "high" : pref == 3 ? "low" : "medium";
  }

  void PutNexthop(const Prefix &dst, const Nexthop &hop, Json &json) const {
    if (hop.gateway && hop.gateway->family() == dst.address.family())
      json["gateway"] = hop.gateway->ToString();
    else if (hop.gateway)
      json["via"] = {{"family", "inet6"}, {"host", hop.gateway->ToString()}};
    if (hop.oif) json["dev"] = names_.at(hop.oif);
  }

  std::map<std::uint32_t, std::string> names_;
};

}  // namespace srcsel
