// Nexthop objects: gateways, devices, blackholes, groups of both kinds; and neighbours.

#include <algorithm>

#include "absl/strings/str_join.h"
#include "differential/hosts/sketch.hh"

namespace srcsel {
namespace {

void DrawGroup(Sketch &host, bool v6, std::uint32_t id) {
  std::vector<std::uint32_t> members = host.nexthops[v6];
  while (members.size() > 1 && (members.size() > 3 || host.draw.Once(3)))
    members.erase(members.begin() + host.draw.Below(static_cast<unsigned>(members.size())));
  const auto weighted = [&](std::string *out, std::uint32_t member) {
    absl::StrAppend(out, member, ",", 1 + host.draw.Below(4));
  };
  // `ip` refuses a group of a family.
  host.Add("ip nexthop add id ", id, " group ", absl::StrJoin(members, "/", weighted),
           host.draw.Once(2) ? " type resilient buckets 32" : "");
}

}  // namespace

void DrawNexthops(Sketch &host, bool v6) {
  std::uint32_t id = v6 ? 60 : 40;
  for (unsigned left = host.draw.Below(6); left > 0; --left, ++id) {
    const std::string &link = host.AnyLink();
    const std::string via =
        host.draw.Once(3) ? "" : absl::StrCat("via ", host.Gateway(link, v6), " ");
    host.Add(Ip(v6), "nexthop add id ", id, " ", via, "dev ", link,
             !via.empty() && host.draw.Once(3) ? " onlink" : "");
    host.nexthops[v6].push_back(id);
  }
  std::vector<std::uint32_t> &groups = host.groups[v6];
  for (unsigned left = 1 + host.draw.Below(3); left > 0 && !host.nexthops[v6].empty();
       --left, ++id) {
    DrawGroup(host, v6, id);
    groups.push_back(id);
  }
  host.nexthops[v6].insert(host.nexthops[v6].end(), groups.begin(), groups.end());
  if (host.draw.Once(4)) {
    host.Add(Ip(v6), "nexthop add id ", id, " blackhole");
    host.nexthops[v6].push_back(id);
  }
}

void DrawNeighbours(Sketch &host, bool v6) {
  // Not "delay", which ends in a moment.
  static const std::vector<const char *> kStates = {
      "none",  "incomplete", "reachable", "stale",  "permanent",
      "probe", "noarp",      "failed",    "failed", "failed"};
  for (unsigned left = host.draw.Below(7); left > 0; --left) {
    const std::string &link = host.AnyLink();
    host.Add(Ip(v6), "neigh replace ", host.Gateway(link, v6), " lladdr 02:00:00:00:00:01 dev ",
             link, " extern_learn nud ", host.draw.OneOf(kStates));
  }
}

}  // namespace srcsel
