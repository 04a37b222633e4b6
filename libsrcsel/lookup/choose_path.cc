#include "lookup/choose_path.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "lookup/default_rotation.hh"
#include "lookup/flow_hash.hh"
#include "lookup/multipath.hh"

namespace srcsel {
namespace {

Hash HashOf(const Snapshot &snapshot, const Query &query) {
  return FlowHash(snapshot.state().settings, {.dst = query.dst,
                                              .src = query.src,
                                              .proto = query.flow.proto,
                                              .sport = query.sport,
                                              .dport = query.flow.dport,
                                              .flow_label = query.flow.label,
                                              .any_sport = query.any_sport});
}

void Rotate(const Snapshot &snapshot, const srcsel_route &route, Answers &answers, TakePath take) {
  const std::vector<std::uint32_t> &members = snapshot.details().rotations[route.detail];
  std::vector<DefaultRoute> defaults;
  for (const std::uint32_t member : members)
    defaults.push_back(
        DefaultOf(snapshot.state().routes.terms()[member], snapshot.details().paths[member]));
  const PathChoice choice = ChooseDefault(defaults, 0, defaults[0].tos);
  if (!choice.exact()) answers.Doubt(Ambiguity::kRotation);
  for (const std::size_t i : choice.candidates)
    take(snapshot.state().routes.terms()[members[i]], snapshot.details().paths[members[i]].all[0]);
}

const Path *FirstOn(const Paths &paths, std::uint32_t oif) {
  for (const Path &path : paths.all)
    if (path.usable && path.oif == oif) return &path;
  return nullptr;
}

void Take(const RouteTerms &terms, const Paths &paths, const PathChoice &choice, Answers &answers,
          TakePath take, Ambiguity why = Ambiguity::kHash) {
  if (!choice.exact()) answers.Doubt(why);
  for (const std::size_t i : choice.candidates) take(terms, paths.all[i]);
}

PathChoice ChooseOfGroup(const Paths &paths, Hash hash) {
  return paths.choice == Choice::kResilient ? ChooseBucket(paths, hash)
                                            : ChooseMember(paths.all, hash);
}

// What the lookup finds before it hashes: the first that is allowed, if need be without asking the
// neighbours; a device that is only preferred decides among those.
std::size_t MatchOf(const Paths &paths, std::uint32_t oif, SiblingTerms terms) {
  for (;; terms.ask_neighbours = false) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < paths.all.size(); ++i) {
      const Path &path = paths.all[i];
      if (!path.usable || !SiblingAllowed(path, terms)) continue;
      if (!best || (path.oif == oif && paths.all[*best].oif != oif)) best = i;
    }
    if (best || !terms.ask_neighbours) return best.value_or(0);
  }
}

// The nexthop that the lookup before went by, and chose the source of.
std::optional<std::size_t> JustTaken(const Paths &paths, const RouteTerms &terms,
                                     const Query &query, const Reached &reached) {
  const Outcome *before = query.before;
  if (!before || terms.prefsrc || before->table != reached.table ||
      before->metric != terms.metric || before->tos != terms.tos ||
      before->dst != Prefix{query.dst, reached.route->plen}.Network())
    return std::nullopt;
  const auto taken = std::ranges::find_if(paths.all, [&](const Path &path) {
    return path.oif == before->oif && path.gateway == before->gateway;
  });
  if (taken == paths.all.end()) return std::nullopt;
  return static_cast<std::size_t>(taken - paths.all.begin());
}

}  // namespace

void ChoosePath4(const Snapshot &snapshot, const Query &query, const Reached &reached,
                 Answers &answers, TakePath take) {
  const srcsel_route &route = *reached.route;
  if (route.flags & SRCSEL_ROUTE_ROTATES) {
    answers.Vary();
    return Rotate(snapshot, route, answers, take);
  }
  const RouteTerms &terms = snapshot.state().routes.terms()[route.detail];
  const Paths &paths = snapshot.details().paths[route.detail];
  if (paths.choice == Choice::kSingle) return take(terms, paths.all[0]);
  if (query.flow.oif != 0) return take(terms, *FirstOn(paths, query.flow.oif));
  answers.Vary();
  const Hash hash = HashOf(snapshot, query);
  if (paths.choice == Choice::kMultipath)
    Take(terms, paths,
         ChooseNexthop4(paths.all, query.src, snapshot.state().settings.multipath_use_neigh, hash,
                        JustTaken(paths, terms, query, reached)),
         answers, take, hash ? Ambiguity::kNexthop : Ambiguity::kHash);
  else
    Take(terms, paths, ChooseOfGroup(paths, hash), answers, take);
}

void ChoosePath6(const Snapshot &snapshot, const Query &query, bool strict,
                 const srcsel_route &route, Answers &answers, TakePath take) {
  const RouteTerms &terms = snapshot.state().routes.terms()[route.detail];
  const Paths &paths = snapshot.details().paths[route.detail];
  if (paths.choice == Choice::kSingle) return take(terms, paths.all[0]);
  answers.Vary();
  const Hash hash = HashOf(snapshot, query);
  if (paths.choice != Choice::kMultipath)
    return Take(terms, paths, ChooseOfGroup(paths, hash), answers, take);
  const std::uint32_t oif = query.flow.oif;
  const SiblingTerms siblings = {strict ? oif : 0, !snapshot.state().settings.forwarding6_all};
  Take(terms, paths, ChooseSibling(paths.all, MatchOf(paths, oif, siblings), siblings, hash),
       answers, take);
}

}  // namespace srcsel
