// Random namespaces full of multipath routes, and the paths of each as the library takes them.
//
// Four links v0 to v3 (ifindex 10 to 13), each joined to a w in the same namespace, have two IPv4
// networks or one IPv6 network; in these are three or two gateways. Prefix n (20.n.0.0/16 or
// fd20:n::/32) is reached by a route of several nexthops, by a nexthop group or by a resilient one.
// Some links have no carrier when the routes come, some are set down afterwards.
//
// Neighbours are as drawn and stay so: no timer of theirs ends while a test runs, and as externally
// learned ones they are not collected when the table, which all namespaces share, runs full.

#pragma once

#include <linux/neighbour.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status.hh"
#include "draw.hh"
#include "lab/host.hh"
#include "lookup/multipath.hh"

namespace srcsel {

enum class Spread { kNexthops, kGroup, kResilient };

struct Way {
  std::uint32_t id = 0;  // of its nexthop object, if it is a group's
  std::optional<IpAddress> gateway;
  Path path;  // `source` also in IPv6: the address of its link
};

struct Destination {
  Spread spread = Spread::kNexthops;
  std::uint32_t id = 0;                // of the group
  std::vector<Way> ways;               // as the kernel has them after all
  std::vector<std::uint32_t> buckets;  // indexes of ways

  Paths AsPaths() const {
    Paths paths{.buckets = buckets};
    for (const Way &way : ways) paths.all.push_back(way.path);
    return paths;
  }
};

class MultipathWorld {
 public:
  static constexpr unsigned kDestinations = 20;
  static constexpr std::uint32_t kFirstLink = 10, kLinks = 4;  // ifindex

  static absl::StatusOr<MultipathWorld> Build(Draw &draw, bool v4) {
    SRCSEL_ASSIGN_OR_RETURN(lab::Host host, lab::Host::Create("world"));
    MultipathWorld world(draw, std::move(host), v4);
    SRCSEL_RETURN_IF_ERROR(world.MakeLinks());
    SRCSEL_RETURN_IF_ERROR(world.MakeRoutes());
    SRCSEL_RETURN_IF_ERROR(world.SetLinksDown());
    SRCSEL_RETURN_IF_ERROR(world.ReadBuckets());
    SRCSEL_RETURN_IF_ERROR(world.MakeNeighbours());
    return world;
  }

  static int MtuOf(std::uint32_t ifindex) { return 1400 + static_cast<int>(ifindex); }

  const lab::Host &host() const { return host_; }
  const std::vector<Destination> &destinations() const { return destinations_; }

  IpAddress AddressIn(unsigned destination) {
    return Ip(v4_ ? absl::StrCat("20.", destination, ".", draw_->Below(256), ".", draw_->Below(256))
                  : absl::StrCat("fd20:", absl::Hex(destination), "::", absl::Hex(draw_->Below(9)),
                                 ":", absl::Hex(draw_->Below(0x10000))));
  }
  // An address of this host's own, not necessarily of a link.
  IpAddress OwnAddress() {
    const unsigned link = draw_->Below(kLinks);
    if (draw_->Once(6) || !links_[link].up) return Ip(v4_ ? "10.99.0.1" : "fd99::1");
    return SourceOf(link, draw_->Below(3));
  }

  // Whether the neighbours are still what they were made.
  absl::StatusOr<bool> NeighboursStand() const {
    SRCSEL_ASSIGN_OR_RETURN(const std::string listing,
                            host_.Ip(absl::StrCat(Family(), " -j neigh show nud all")));
    std::map<std::string, std::string> found;
    for (const nlohmann::json &entry : nlohmann::json::parse(listing))
      found[entry["dst"]] = entry.contains("state") ? entry["state"][0] : "NONE";
    return std::ranges::all_of(neighbours_, [&](const auto &entry) {
      return found[entry.first] == absl::AsciiStrToUpper(entry.second);
    });
  }

 private:
  struct Link {
    bool carrier = true, up = true, ignored = false;  // without a carrier
  };

  MultipathWorld(Draw &draw, lab::Host host, bool v4)
      : draw_(&draw), host_(std::move(host)), v4_(v4) {
    for (Link &link : links_)
      link = {.carrier = !draw.Once(5), .up = !draw.Once(6), .ignored = draw.Once(2)};
    links_[draw.Below(kLinks)].carrier = true;
  }

  static IpAddress Ip(absl::string_view text) { return IpAddress::Parse(text).value(); }
  const char *Family() const { return v4_ ? "-4" : "-6"; }
  static std::string Name(unsigned link) { return absl::StrCat("v", link); }

  // Gateways 0 and 1 of a link are in its first IPv4 network, 2 in its second.
  IpAddress GatewayOf(unsigned link, unsigned gateway) const {
    if (!v4_) return Ip(absl::StrCat("fd10:", link, "::f", 8 + gateway % 2));
    return Ip(absl::StrCat("10.1", link, gateway == 2 ? ".9." : ".0.", 250 + gateway));
  }
  IpAddress SourceOf(unsigned link, unsigned gateway) const {
    return Ip(v4_ ? absl::StrCat("10.1", link, gateway == 2 ? ".9.1" : ".0.1")
                  : absl::StrCat("fd10:", link, "::1"));
  }

  absl::Status MakeLinks() {
    const char *const ip = v4_ ? "ipv4" : "ipv6";
    SRCSEL_RETURN_IF_ERROR(host_.SetSysctl("net.ipv6.conf.default.addr_gen_mode", "1"));
    std::vector<std::string> lines = {"link set lo up"};
    lines.push_back(
        absl::StrCat("address add ", v4_ ? "10.99.0.1/32" : "fd99::1/128 nodad", " dev lo"));
    for (unsigned i = 0; i < kLinks; ++i) {
      const std::string name = Name(i);
      lines.push_back(
          absl::StrCat("link add ", name, " index ", kFirstLink + i, " type veth peer name w", i));
      if (links_[i].carrier) lines.push_back(absl::StrCat("link set w", i, " up"));
      lines.push_back(absl::StrCat("link set ", name, " up mtu ", MtuOf(kFirstLink + i)));
      for (const unsigned gateway : {0, 2})
        if (v4_ || gateway == 0)
          lines.push_back(absl::StrCat("address add ", SourceOf(i, gateway).ToString(),
                                       v4_ ? "/24" : "/64 nodad", " dev ", name));
    }
    SRCSEL_RETURN_IF_ERROR(host_.IpBatch(Family(), lines));
    for (unsigned i = 0; i < kLinks; ++i) {
      const auto set = [&](absl::string_view tree, absl::string_view key, absl::string_view value) {
        return host_.SetSysctl(absl::StrCat("net.", ip, ".", tree, ".", Name(i), ".", key), value);
      };
      SRCSEL_RETURN_IF_ERROR(set("neigh", "base_reachable_time_ms", "100000000"));
      SRCSEL_RETURN_IF_ERROR(set("neigh", "retrans_time_ms", "100000000"));
      SRCSEL_RETURN_IF_ERROR(
          set("conf", "ignore_routes_with_linkdown", links_[i].ignored ? "1" : "0"));
    }
    return absl::OkStatus();
  }

  Way DrawWay(Spread spread) {
    unsigned link = draw_->Below(kLinks);
    // Nexthop objects need a carrier.
    while (spread != Spread::kNexthops && !links_[link].carrier) link = (link + 1) % kLinks;
    const unsigned gateway = draw_->Below(3);
    Way way;
    if (!draw_->Once(6) || (!v4_ && spread == Spread::kNexthops))
      way.gateway = GatewayOf(link, gateway);
    way.path.weight = 1 + draw_->Below(4);
    way.path.oif = kFirstLink + link;
    way.path.usable = links_[link].carrier || !links_[link].ignored;
    way.path.source = SourceOf(link, way.gateway ? gateway : 0);
    return way;
  }

  static bool SameHop(const Way &a, const Way &b) {
    return a.path.oif == b.path.oif && a.gateway == b.gateway;
  }

  static std::string Hop(const Way &way) {
    const std::string via = way.gateway ? absl::StrCat("via ", way.gateway->ToString()) : "";
    return absl::StrCat(via, " dev ", Name(way.path.oif - kFirstLink));
  }

  absl::Status MakeRoutes() {
    std::uint32_t next_id = 1;
    for (unsigned n = 0; n < kDestinations; ++n) {
      Destination &destination = destinations_.emplace_back();
      destination.spread = n % 2 ? Spread::kNexthops : n % 4 ? Spread::kGroup : Spread::kResilient;
      for (unsigned count = 2 + draw_->Below(4); count > 0; --count) {
        const Way way = DrawWay(destination.spread);
        const auto same = [&](const Way &other) { return SameHop(way, other); };
        if (std::ranges::none_of(destination.ways, same)) destination.ways.push_back(way);
      }
      if (destination.spread == Spread::kNexthops) continue;
      for (Way &way : destination.ways) way.id = next_id++;
      destination.id = next_id++;
    }
    SRCSEL_RETURN_IF_ERROR(MakeGroups());
    std::vector<std::string> lines;
    for (unsigned n = 0; n < kDestinations; ++n) {
      const std::string prefix =
          v4_ ? absl::StrCat("20.", n, ".0.0/16") : absl::StrCat("fd20:", absl::Hex(n), "::/32");
      lines.push_back(absl::StrCat("route add ", prefix, " ", Target(destinations_[n])));
    }
    return host_.IpBatch(Family(), lines);
  }

  static std::string Target(const Destination &destination) {
    if (destination.id) return absl::StrCat("nhid ", destination.id);
    std::string words;
    for (const Way &way : destination.ways)
      absl::StrAppend(&words, " nexthop ", Hop(way), " weight ", way.path.weight);
    return words;
  }

  // `ip` refuses a group of a family, and a nexthop of none.
  absl::Status MakeGroups() const {
    std::vector<std::string> nexthops;
    for (const Destination &destination : destinations_)
      for (const Way &way : destination.ways)
        if (way.id) nexthops.push_back(absl::StrCat("nexthop add id ", way.id, " ", Hop(way)));
    SRCSEL_RETURN_IF_ERROR(host_.IpBatch(Family(), nexthops));
    for (const Destination &destination : destinations_) {
      if (destination.spread == Spread::kNexthops) continue;
      std::vector<std::string> members;
      for (const Way &way : destination.ways)
        members.push_back(absl::StrCat(way.id, ",", way.path.weight));
      const bool resilient = destination.spread == Spread::kResilient;
      const std::string words =
          absl::StrCat("nexthop add id ", destination.id, " group ", absl::StrJoin(members, "/"),
                       resilient ? " type resilient buckets 37" : "");
      SRCSEL_RETURN_IF_ERROR(host_.Ip(words).status());
    }
    return absl::OkStatus();
  }

  // Nexthops of a link that goes down are dead; nexthop objects are deleted.
  absl::Status SetLinksDown() {
    std::vector<std::string> lines;
    for (unsigned i = 0; i < kLinks; ++i)
      if (!links_[i].up) lines.push_back(absl::StrCat("link set ", Name(i), " down"));
    const auto down = [this](const Way &way) { return !links_[way.path.oif - kFirstLink].up; };
    for (Destination &destination : destinations_) {
      if (destination.spread != Spread::kNexthops)
        std::erase_if(destination.ways, down);
      else
        for (Way &way : destination.ways) way.path.usable &= !down(way);
    }
    return host_.IpBatch(Family(), lines);
  }

  absl::Status ReadBuckets() {
    for (Destination &destination : destinations_) {
      if (destination.spread != Spread::kResilient || destination.ways.empty()) continue;
      SRCSEL_ASSIGN_OR_RETURN(const std::string listing,
                              host_.Ip(absl::StrCat("-j nexthop bucket list id ", destination.id)));
      for (const nlohmann::json &entry : nlohmann::json::parse(listing)) {
        const auto way = std::ranges::find(destination.ways,
                                           entry["bucket"]["nhid"].get<std::uint32_t>(), &Way::id);
        destination.buckets.push_back(static_cast<std::uint32_t>(way - destination.ways.begin()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status MakeNeighbours() {
    // Not "delay", which ends in a moment.
    static const std::vector<std::pair<const char *, std::uint16_t>> kStates = {
        {"none", NUD_NONE},   {"incomplete", NUD_INCOMPLETE}, {"reachable", NUD_REACHABLE},
        {"stale", NUD_STALE}, {"permanent", NUD_PERMANENT},   {"probe", NUD_PROBE},
        {"noarp", NUD_NOARP}, {"failed", NUD_FAILED},         {"failed", NUD_FAILED}};
    std::vector<std::string> lines;
    std::map<IpAddress, std::uint16_t> states;
    for (unsigned link = 0; link < kLinks; ++link)
      for (unsigned gateway = 0; gateway < (v4_ ? 3 : 2); ++gateway) {
        if (!links_[link].up || draw_->Once(3)) continue;
        const auto &[name, state] = draw_->OneOf(kStates);
        const IpAddress address = GatewayOf(link, gateway);
        states[address] = state;
        neighbours_[address.ToString()] = name;
        lines.push_back(absl::StrCat("neigh replace ", address.ToString(),
                                     " lladdr 02:00:00:00:00:01 dev ", Name(link),
                                     " extern_learn nud ", name));
      }
    for (Destination &destination : destinations_)
      for (Way &way : destination.ways)
        if (way.gateway)
          if (const auto found = states.find(*way.gateway); found != states.end())
            way.path.neighbour = found->second;
    return host_.IpBatch(Family(), lines);
  }

  Draw *draw_;
  lab::Host host_;
  bool v4_;
  std::array<Link, kLinks> links_;
  std::vector<Destination> destinations_;
  std::map<std::string, std::string> neighbours_;  // by address
};

}  // namespace srcsel
