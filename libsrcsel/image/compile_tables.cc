#include "image/compile_tables.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "image/key.hh"
#include "image/source4.hh"

namespace srcsel {
namespace {

using Aliases = std::vector<const Route *>;  // routes of one prefix in one table, in kernel order

// A path a lookup may end in.
struct Path {
  const Route *route;      // null where the lookup goes on to a shorter prefix
  const Nexthop *nexthop;  // null for blackhole and the like
  std::optional<IpAddress> source;
};

class Compiler {
 public:
  explicit Compiler(const State &state) : state_(state) {
    for (const Link &link : state.links) groups_[link.index] = link.group;
    out_.routes.emplace_back();
  }

  absl::StatusOr<CompiledTables> Run() {
    std::map<std::pair<int, std::uint32_t>, absl::flat_hash_map<Prefix, Aliases>> tables;
    all_.reserve(state_.routes.size());
    for (std::size_t i = 0; i < state_.routes.size(); ++i) all_.push_back(state_.routes.At(i));
    for (const Route &route : all_)
      if (route.src.length == 0)
        tables[{route.dst.address.family(), route.table}][route.dst].push_back(&route);
    for (const auto &[key, prefixes] : tables) AddTable(key.first, key.second, prefixes);
    if (out_.routes.size() > SRCSEL_MAX_ROUTES)
      return absl::ResourceExhaustedError(absl::StrCat("compile tables: ", out_.routes.size(),
                                                       " distinct routes, at most ",
                                                       SRCSEL_MAX_ROUTES, " fit into an image"));
    return std::move(out_);
  }

 private:
  void AddTable(int family, std::uint32_t id,
                const absl::flat_hash_map<Prefix, Aliases> &prefixes) {
    std::vector<TrieEntry> entries;
    entries.reserve(prefixes.size());
    // In the order of prefixes, not of hashes: equal states make equal images.
    std::vector<const std::pair<const Prefix, Aliases> *> ordered;
    ordered.reserve(prefixes.size());
    for (const auto &entry : prefixes) ordered.push_back(&entry);
    std::ranges::sort(ordered, {}, [](const auto *entry) { return entry->first; });
    for (const auto *entry : ordered) {
      const auto &[prefix, aliases] = *entry;
      const std::vector<Path> paths = family == AF_INET ? Paths4(aliases) : Paths6(aliases);
      if (!paths.empty())
        entries.push_back(
            {KeyOf(prefix.address), static_cast<std::uint8_t>(prefix.length), RouteIndex(paths)});
    }
    srcsel_table table = out_.tries.Add(std::move(entries));
    table.id = id;
    table.family = family == AF_INET ? SRCSEL_V4 : SRCSEL_V6;
    out_.tables.push_back(table);
  }

  // fib_table_lookup() and fib_select_path(): the first entry of tos 0 that is usable; with it, all
  // that could stand in its place for another tos, hash or neighbour.
  std::vector<Path> Paths4(const Aliases &aliases) const {
    std::vector<Path> paths, other_tos;
    const Route *first = nullptr;
    for (const Route *route : aliases) {
      std::vector<Path> usable = Usable(*route);
      if (usable.empty()) continue;
      if (route->tos != 0) {
        other_tos.insert(other_tos.end(), usable.begin(), usable.end());
        continue;
      }
      const bool rotates = first && route->dst.length == 0 && route->metric == first->metric;
      if (first && !rotates) break;
      if (!first) first = route;
      paths.insert(paths.end(), usable.begin(), usable.end());
    }
    paths.insert(paths.end(), other_tos.begin(), other_tos.end());
    // A flow of another tos goes on to a shorter prefix.
    if (!first && !paths.empty()) paths.push_back({nullptr, nullptr, std::nullopt});
    return paths;
  }

  // fib6_table_lookup(): the usable entries of the lowest metric.
  std::vector<Path> Paths6(const Aliases &aliases) const {
    std::vector<Path> paths;
    for (const Route *route : aliases) {
      if (route->expires && *route->expires <= 0) continue;
      std::vector<Path> usable = Usable(*route);
      if (usable.empty()) continue;
      if (!paths.empty() && route->metric > paths.front().route->metric) continue;
      if (!paths.empty() && route->metric < paths.front().route->metric) paths.clear();
      paths.insert(paths.end(), usable.begin(), usable.end());
    }
    return paths;
  }

  std::vector<Path> Usable(const Route &route) const {
    if (route.type >= RTN_BLACKHOLE) return {{&route, nullptr, std::nullopt}};
    std::vector<Path> paths;
    for (const Nexthop &nexthop : route.nexthops)
      if (!(nexthop.flags & RTNH_F_DEAD))
        paths.push_back({&route, &nexthop, SourceOf(route, nexthop)});
    return paths;
  }

  std::optional<IpAddress> SourceOf(const Route &route, const Nexthop &nexthop) const {
    if (route.prefsrc) return route.prefsrc;
    if (!route.dst.address.is_v4()) return std::nullopt;
    return SelectSource4(state_, nexthop.oif, nexthop.gateway, route.scope);
  }

  std::uint32_t GroupOf(const Path &path) const {
    const auto group = path.nexthop ? groups_.find(path.nexthop->oif) : groups_.end();
    return group == groups_.end() ? 0 : group->second;
  }

  std::uint16_t RouteIndex(const std::vector<Path> &paths) {
    const Path &first = paths.front();
    const Prefix &dst = first.route->dst;
    srcsel_route result{};
    result.table = first.route->table;
    result.metric = first.route->metric;
    result.type = first.route->type;
    result.plen = static_cast<__u8>(dst.length);
    result.group = GroupOf(first);
    if (const Nexthop *nexthop = first.nexthop) {
      result.oif = nexthop->oif;
      if (nexthop->gateway && nexthop->gateway->family() == dst.address.family())
        CopyWire(*nexthop->gateway, result.gateway);
    }
    if (first.source) {
      CopyWire(*first.source, result.source);
      result.flags |= SRCSEL_ROUTE_SOURCE;
    }
    const auto all = [&](auto same) { return std::ranges::all_of(paths, same); };
    const bool one_kind =
        all([&](const Path &p) { return p.route && p.route->type == first.route->type; });
    if (!one_kind) {  // a walk must neither end, nor go on, nor suppress here: nobody knows
      result.type = RTN_UNICAST;
      result.plen = 0xff;
      result.group = SRCSEL_NONE;
    }
    if (!one_kind || !all([&](const Path &p) { return p.source == first.source; }))
      result.flags |= SRCSEL_ROUTE_AMBIGUOUS;
    // Linux 6.18 suppresses by the first nexthop in IPv4, by the one it hashed to in IPv6.
    if (!dst.address.is_v4() && !all([&](const Path &p) { return GroupOf(p) == result.group; }))
      result.flags |= SRCSEL_ROUTE_GROUPS;
    return Intern(result);
  }

  std::uint16_t Intern(const srcsel_route &route) {
    const absl::string_view bytes(reinterpret_cast<const char *>(&route), sizeof(route));
    const auto [place, added] = interned_.try_emplace(std::string(bytes), out_.routes.size());
    if (added) out_.routes.push_back(route);
    return static_cast<std::uint16_t>(place->second);
  }

  const State &state_;
  std::vector<Route> all_;
  absl::flat_hash_map<std::uint32_t, std::uint32_t> groups_;
  absl::flat_hash_map<std::string, std::size_t> interned_;
  CompiledTables out_;
};

}  // namespace

std::uint32_t CompiledTables::Find(srcsel_family family, std::uint32_t id) const {
  const auto table = std::ranges::find_if(
      tables, [&](const srcsel_table &t) { return t.family == family && t.id == id; });
  return table == tables.end() ? SRCSEL_NONE : static_cast<std::uint32_t>(table - tables.begin());
}

absl::StatusOr<CompiledTables> CompileTables(const State &state) {
  return Compiler(state).Run();
}

}  // namespace srcsel
