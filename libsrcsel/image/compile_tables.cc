#include "image/compile_tables.hh"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "image/aliases.hh"
#include "image/key.hh"
#include "image/prefix_rows.hh"
#include "image/route_chains.hh"
#include "image/rows_by_device.hh"

namespace srcsel {
namespace {

// The chains of a prefix. They differ only where gateways have failed.
struct Heads {
  std::uint32_t head = 0;       // what a lookup goes through: reachable, then all
  std::uint32_t reachable = 0;  // of this prefix and the shorter ones
  std::uint32_t all = 0;
};

struct Ancestor {
  PrefixRow row;
  Heads heads;
};

// The heads last made for a plain route.
struct Recent {
  std::uint32_t terms = SRCSEL_NONE;
  std::uint8_t length = 0;
  Heads heads;
};

constexpr std::uint8_t kUnasked = 2;

using Tables = std::map<std::pair<int, std::uint32_t>, std::vector<PrefixRow>>;

// Puts into the local table what a longer prefix of main would take from a shorter one of local.
// Where local has the very prefix, its routes come first in either case.
void MarkMerged(Tables &tables) {
  if (!tables.contains({AF_INET, RT_TABLE_LOCAL}) || !tables.contains({AF_INET, RT_TABLE_MAIN}))
    return;
  std::vector<PrefixRow> &local = tables[{AF_INET, RT_TABLE_LOCAL}], nested;
  const std::vector<PrefixRow> &main = tables[{AF_INET, RT_TABLE_MAIN}];
  const auto key = [](const PrefixRow &row) { return row.key.hi; };
  for (const PrefixRow &wide : local) {
    if (wide.length == 32) continue;
    auto row = std::ranges::lower_bound(main, wide.key.hi, {}, key);
    for (; row != main.end() && wide.Covers({row->key, 0, 32}); ++row)
      if (row->length > wide.length) nested.push_back({row->key, row->terms, row->length, true});
  }
  local.insert(local.end(), nested.begin(), nested.end());
  Order(local);
}

class TableCompiler {
 public:
  TableCompiler(const State &state, bool by_device)
      : state_(state),
        by_device_(by_device),
        maker_(state, out_.details.paths, chains_, out_.details.rotations) {}

  CompiledTables Run() {
    const PathFinder finder(state_);
    for (const RouteTerms &terms : state_.routes.terms())
      out_.details.paths.push_back(finder.Of(terms, terms.src.address.family()));
    Tables tables = RowsByTable();
    for (auto &[of, rows] : tables) Order(rows);
    if (MayBeMerged(state_)) MarkMerged(tables);
    for (const auto &[of, rows] : tables) {
      AddTable(of.first, of.second, rows);
      if (of.second == RT_TABLE_LOCAL) AddPlaces(of.first, rows);
    }
    out_.routes = chains_.routes();
    out_.froms = chains_.froms();
    return std::move(out_);
  }

 private:
  Tables RowsByTable() const {
    const std::span<const Routes::Entry> routes = state_.routes.entries();
    Tables tables;
    // Rows of one table come in long runs.
    for (std::size_t first = 0, last; first < routes.size(); first = last) {
      const int family = routes[first].dst.address.family();
      const std::uint32_t id = state_.routes.TermsOf(routes[first]).table;
      for (last = first + 1; last < routes.size(); ++last) {
        if (routes[last].dst.address.family() != family) break;
        if (state_.routes.TermsOf(routes[last]).table != id) break;
      }
      std::vector<PrefixRow> &rows = tables[{family, id}];
      if (rows.empty()) rows.reserve(last - first);
      for (const Routes::Entry &route : routes.subspan(first, last - first))
        rows.push_back(
            {KeyOf(route.dst.address), route.terms, static_cast<std::uint8_t>(route.dst.length)});
    }
    return tables;
  }

  void AddTable(int family, std::uint32_t id, std::span<const PrefixRow> rows) {
    const std::size_t first = out_.tables.size();
    AddTrie(family, id, 0, rows);
    if (!by_device_) return;
    for (const auto &[oif, own] : RowsByDevice(rows, out_.details.paths))
      AddTrie(family, id, oif, own);
    out_.tables[first].devices = static_cast<__u32>(out_.tables.size() - first - 1);
  }

  void AddPlaces(int family, std::span<const PrefixRow> rows) {
    srcsel_local_places &places = out_.local_places[family == AF_INET ? SRCSEL_V4 : SRCSEL_V6];
    for (const PrefixRow &row : rows) {
      const std::uint64_t first = row.key.hi >> (64 - SRCSEL_FAN_BITS);
      const std::uint64_t end =
          first + (SRCSEL_FAN_SLOTS >> std::min<int>(row.length, SRCSEL_FAN_BITS));
      for (std::uint64_t place = first; place < end; ++place)
        places.word[place / 64] |= std::uint64_t{1} << (place % 64);
    }
  }

  void AddTrie(int family, std::uint32_t id, std::uint32_t oif, std::span<const PrefixRow> rows) {
    out_.tries.Begin(rows.size());
    std::vector<Ancestor> around;
    known_.clear();
    recent_.fill({});
    plain_.assign(out_.details.paths.size(), kUnasked);
    while (!rows.empty()) {
      const std::span<const PrefixRow> same = FirstPrefix(rows);
      rows = rows.subspan(same.size());
      while (!around.empty() && !around.back().row.Covers(same[0])) around.pop_back();
      const Heads rest = around.empty() ? Heads{} : around.back().heads;
      const bool inner = !rows.empty() && same[0].Covers(rows[0]);
      const Heads heads = HeadsOf(family, same, oif, inner, rest, BeyondLeaf(around, same[0]));
      around.push_back({same[0], heads});
      if (heads.head != rest.head)
        out_.tries.Put({same[0].key, same[0].length, static_cast<std::uint16_t>(heads.head)});
    }
    srcsel_table table{};
    table.trie = out_.tries.End();
    table.id = id;
    table.oif = oif;
    table.family = family == AF_INET ? SRCSEL_V4 : SRCSEL_V6;
    out_.tables.push_back(table);
  }

  // Of the longest prefix around this one that has another address.
  static Heads BeyondLeaf(std::span<const Ancestor> around, const PrefixRow &row) {
    while (!around.empty() && around.back().row.SameAddress(row))
      around = around.first(around.size() - 1);
    return around.empty() ? Heads{} : around.back().heads;
  }

  // `inner`: some prefixes of the table are longer.
  Heads HeadsOf(int family, std::span<const PrefixRow> rows, std::uint32_t oif, bool inner,
                const Heads &rest, const Heads &beyond_leaf) {
    if (rows.size() == 1 && IsPlain(family, rows[0], oif)) return PlainHeads(family, rows, oif);
    if (!rows[0].merged && rows.back().merged) {
      const auto main = std::ranges::find(rows, true, &PrefixRow::merged) - rows.begin();
      const auto own = static_cast<std::size_t>(main);
      return HeadsOf(family, rows.first(own), oif, inner,
                     HeadsOf(family, rows.subspan(own), oif, inner, rest, beyond_leaf),
                     beyond_leaf);
    }
    if (rows.size() > 1 || rows[0].merged || IsForSource(rows[0]) || MayEndLeaf(family, rows[0])) {
      Aliases aliases = Make(family, rows, oif);
      if (inner && family == AF_INET6) MarkDoubtful(rows, aliases);
      return Link(aliases, aliases.ends_leaf ? beyond_leaf : rest);
    }
    const auto [place, added] =
        known_.try_emplace({rows[0].terms, rows[0].length, rest.reachable, rest.all});
    if (added) place->second = Link(Make(family, rows, oif), rest);
    return place->second;
  }

  // Whether its terms and length are all there is to say: what comes behind a route that holds for
  // every flow does not matter.
  bool IsPlain(int family, const PrefixRow &row, std::uint32_t oif) {
    std::uint8_t &plain = plain_[row.terms];
    if (plain == kUnasked)
      plain = !IsForSource(row) && !MayEndLeaf(family, row) && HoldsForAll(family, row.terms, oif);
    return plain && !row.merged;
  }

  Heads PlainHeads(int family, std::span<const PrefixRow> rows, std::uint32_t oif) {
    const PrefixRow &row = rows[0];
    Recent &recent = recent_[(row.terms * 32 + row.length) % recent_.size()];
    if (recent.terms != row.terms || recent.length != row.length)
      recent = {row.terms, row.length, Link(Make(family, rows, oif), {})};
    return recent.heads;
  }

  bool MayEndLeaf(int family, const PrefixRow &row) const {
    return family == AF_INET && by_device_ && out_.details.paths[row.terms].object;
  }

  bool IsForSource(const PrefixRow &row) const { return out_.details.paths[row.terms].for_source; }

  bool HoldsForAll(int family, std::uint32_t terms, std::uint32_t oif) const {
    const RouteTerms &route = state_.routes.terms()[terms];
    const Paths &paths = out_.details.paths[terms];
    if (paths.choice != Choice::kSingle || route.tos != 0 || route.src.length > 0) return false;
    if (paths.all.empty()) return family == AF_INET && route.type >= RTN_BLACKHOLE;
    if (oif != 0 && paths.all[0].oif != oif) return false;
    return paths.all[0].usable && !route.expires && paths.all[0].neighbour != NUD_FAILED;
  }

  Aliases Make(int family, std::span<const PrefixRow> rows, std::uint32_t oif) {
    Aliases aliases = maker_.Make(family, rows, oif);
    if (!rows[0].merged) return aliases;
    for (srcsel_route &route : aliases.all) {
      route.flags |= SRCSEL_ROUTE_AMBIGUOUS | SRCSEL_ROUTE_MERGED;
      if (route.type >= RTN_BLACKHOLE) route.type = RTN_UNICAST;  // a walk must stop here
    }
    return aliases;
  }

  // When the last route for all sources of such a prefix goes, the kernel keeps the prefix's node
  // under the address of a longer one (fib6_find_prefix() of Linux 6.18), and comes by what is left
  // for certain sources only on its way back from there. Whether there was one is not shown.
  void MarkDoubtful(std::span<const PrefixRow> rows, Aliases &aliases) const {
    const auto for_source = [&](const PrefixRow &row) { return IsForSource(row); };
    if (rows[0].length == 0 || !std::ranges::all_of(rows, for_source)) return;
    for (auto *routes :
         {&aliases.all, &aliases.reachable, &aliases.gated_all, &aliases.gated_reachable})
      for (srcsel_route &route : *routes) {
        // A suppressor cannot tell either; and a walk must stop here.
        route.flags |= SRCSEL_ROUTE_AMBIGUOUS | SRCSEL_ROUTE_DOUBTFUL | SRCSEL_ROUTE_GROUPS |
                       SRCSEL_ROUTE_LENGTHS;
        if (route.type >= RTN_BLACKHOLE) route.type = RTN_UNICAST;
      }
  }

  Heads Link(const Aliases &aliases, const Heads &rest) {
    Heads heads;
    heads.all = chains_.Add(aliases.all, rest.all);
    heads.head = heads.reachable = heads.all;
    const bool same = !aliases.some_failed && rest.reachable == rest.all;
    if (!same) heads.reachable = chains_.Add(aliases.reachable, rest.reachable);
    if (!same) heads.head = chains_.Join(heads.reachable, heads.all);
    if (aliases.gates.empty()) return heads;
    // Who is through a gate and finds nothing is on the way back.
    const auto add_back = [&](std::uint32_t chain) {
      for (const std::uint32_t gate : aliases.gates)
        heads.head = chains_.JoinWithin(gate, chain, heads.head);
    };
    heads.head = rest.head;
    if (rest.head != rest.all) add_back(rest.all);
    if (!same) heads.head = chains_.Add(aliases.gated_all, heads.head);
    if (!same) add_back(rest.reachable);
    heads.head = chains_.Add(aliases.gated_reachable, heads.head);
    return heads;
  }

  const State &state_;
  const bool by_device_;
  CompiledTables out_;
  RouteChains chains_;
  AliasMaker maker_;
  // Of the table being added.
  absl::flat_hash_map<std::array<std::uint32_t, 4>, Heads> known_;
  std::array<Recent, 1024> recent_;
  std::vector<std::uint8_t> plain_;  // by terms: 1 if IsPlain(), 0 if not, or kUnasked
};

}  // namespace

bool MayBeMerged(const State &state) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> rules;
  for (const Rule &rule : state.rules)
    if (rule.family == AF_INET) rules.emplace_back(rule.pref, rule.table);
  return rules ==
         decltype(rules){{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}, {32767, RT_TABLE_DEFAULT}};
}

std::uint32_t CompiledTables::Find(srcsel_family family, std::uint32_t id) const {
  const auto table = std::ranges::find_if(
      tables, [&](const srcsel_table &t) { return t.family == family && t.id == id; });
  return table == tables.end() ? SRCSEL_NONE : static_cast<std::uint32_t>(table - tables.begin());
}

absl::StatusOr<CompiledTables> CompileTables(const State &state, bool by_device) {
  CompiledTables tables = TableCompiler(state, by_device).Run();
  if (tables.routes.size() > SRCSEL_MAX_ROUTES)
    return absl::ResourceExhaustedError(absl::StrCat("compile tables: ", tables.routes.size(),
                                                     " distinct routes, at most ",
                                                     SRCSEL_MAX_ROUTES, " fit into an image"));
  return tables;
}

}  // namespace srcsel
