#include "netfilter/explore.hh"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "netfilter/evaluate.hh"
#include "netfilter/narrow_match.hh"
#include "netfilter/numbers.hh"
#include "netfilter/output_chains.hh"

namespace srcsel {
namespace {

// Bounds: of classes found, and of nested divisions.
constexpr std::size_t kClasses = 6'000;
constexpr int kDepth = 400;
constexpr std::uint32_t kLastTos = 0xff, kLastEcn = 3;
constexpr char kTooMuch[] = "the rules together: they overlap in more ways than are followed";

struct FlowWalk {
  Condition flows;
  NfEnd end;
  NfMark before;  // the mark, as the base chain found it
  std::size_t base = 0;
  std::vector<NfPlace> places;
  std::size_t step = 0;
  std::uint32_t state = kNfInvalid;
  NfNumbers tos = {{0, kLastTos}};  // that the packets may have
  int depth = 0;

  const NfRule &rule() const { return places.back().chain->rules[places.back().rule]; }
  void NextRule() {
    ++places.back().rule;
    step = 0;
  }
  void EndChain() {
    places.back().rule = places.back().chain->rules.size();
    step = 0;
  }
};

bool IsMatch(const NfStep &step) {
  return std::holds_alternative<NfMatch>(step) || std::holds_alternative<NfUnknownMatch>(step);
}

// The matches of a rule, up to what it does.
struct NfMatches {
  std::vector<const NfMatch *> holding, failing;  // that are to hold, and not to
  std::string unknown;
  bool aside = true;
  std::size_t end;  // the step after them

  NfMatches(const NfRule &rule, std::size_t begin) : end(begin) {
    for (; end < rule.steps.size(); ++end) {
      if (const auto *match = std::get_if<NfMatch>(&rule.steps[end]))
        (match->negated ? failing : holding).push_back(match);
      else if (const auto *other = std::get_if<NfUnknownMatch>(&rule.steps[end]))
        unknown = other->words, aside &= other->is_aside;
      else
        break;
    }
  }
};

class Explorer {
 public:
  Explorer(std::vector<NfOutputChain> chains, const NfWays *ways, std::size_t &budget)
      : chains_(std::move(chains)), ways_(ways), budget_(budget) {}

  void Follow(FlowWalk walk, std::vector<NfClass> &out) {
    if (walk.depth > kDepth) return GiveUp(std::move(walk), kTooMuch, out);
    for (;;) {
      if (!Spend() || out.size() > kClasses) return GiveUp(std::move(walk), kTooMuch, out);
      if (walk.places.empty()) {
        if (walk.base == chains_.size()) return Finish(std::move(walk), out);
        if (chains_[walk.base].tied) return BothOrders(std::move(walk), out);
        Enter(walk);
        continue;
      }
      const NfPlace &place = walk.places.back();
      if (place.rule == place.chain->rules.size()) {
        walk.places.pop_back();
        if (!walk.places.empty()) continue;
        if (chains_[walk.base].chain->drops) return Drop(std::move(walk), out);
        Leave(walk);
        continue;
      }
      if (walk.step == walk.rule().steps.size() || (walk.step == 0 && IsInert(walk.rule(), walk))) {
        walk.NextRule();
        continue;
      }
      if (!Take(walk, out)) return;
    }
  }

 private:
  bool Spend() {
    if (budget_ == 0) return false;
    --budget_;
    return true;
  }

  static void Finish(FlowWalk walk, std::vector<NfClass> &out) {
    out.push_back({std::move(walk.flows), std::move(walk.end)});
  }

  static void GiveUp(FlowWalk walk, std::string why, std::vector<NfClass> &out) {
    walk.end.unknown = std::move(why);
    Finish(std::move(walk), out);
  }

  static void Drop(FlowWalk walk, std::vector<NfClass> &out) {
    walk.end.dropped = true;
    Finish(std::move(walk), out);
  }

  void Enter(FlowWalk &walk) const {
    const NfOutputChain &base = chains_[walk.base];
    if (base.priority > kNfConntrackPriority && walk.state == kNfInvalid) walk.state = kNfNew;
    walk.before = walk.end.mark;
    walk.places = {{base.chain, 0}};
    walk.step = 0;
  }

  // A chain that routes does so if it changed the mark. Where a chain before it changed it without
  // routing, that matters: then flows for which this one sets it to what it was are told apart.
  void Leave(FlowWalk &walk) const {
    const bool routes = chains_[walk.base].chain->hook == NfHook::kRoute;
    const NfMark before = walk.flows.Reduced(walk.before),
                 after = walk.flows.Reduced(walk.end.mark);
    if (routes && before != after) {
      const bool same_so_far = before == walk.flows.Reduced(walk.end.routed);
      const bool depends = before.mask != after.mask;
      if (!same_so_far && depends && walk.end.unknown.empty())
        walk.end.unknown = absl::StrCat(chains_[walk.base].table->name,
                                        ": whether it routes again depends on the socket's mark");
      walk.end.routed = walk.end.mark;
    }
    ++walk.base;
  }

  // Whether nothing in the rule can matter.
  bool IsInert(const NfRule &rule, const FlowWalk &walk) {
    return std::ranges::all_of(rule.steps, [&](const NfStep &step) {
      if (IsMatch(step)) return true;
      const auto *verdict = std::get_if<NfVerdict>(&step);
      if (verdict == nullptr || verdict->kind != NfVerdictKind::kJump) return false;
      const NfChain *target = Target(walk, *verdict);
      return target != nullptr && IsInert(*target, walk);
    });
  }
  // Where it returns to, nothing of the chain has changed anything.
  static bool OnlyReturns(const NfRule &rule) {
    return std::ranges::all_of(rule.steps, [](const NfStep &step) {
      const auto *verdict = std::get_if<NfVerdict>(&step);
      return IsMatch(step) || (verdict != nullptr && verdict->kind == NfVerdictKind::kReturn);
    });
  }
  bool IsInert(const NfChain &chain, const FlowWalk &walk) {
    const auto [known, is_new] = inert_.try_emplace(&chain, false);
    if (!is_new) return known->second;
    const bool inert = std::ranges::all_of(
        chain.rules, [&](const NfRule &rule) { return IsInert(rule, walk) || OnlyReturns(rule); });
    return inert_[&chain] = inert;
  }

  const NfChain *Target(const FlowWalk &walk, const NfVerdict &verdict) const {
    const NfTable &table = *chains_[walk.base].table;
    const auto target = table.chains.find(verdict.chain);
    return target == table.chains.end() ? nullptr : &target->second;
  }

  // False: all that was left has come to its end.
  bool Take(FlowWalk &walk, std::vector<NfClass> &out) {
    const NfRule &rule = walk.rule();
    const NfStep &step = rule.steps[walk.step];
    if (IsMatch(step)) return Divide(walk, out);
    ++walk.step;
    if (const auto *set = std::get_if<NfSetMark>(&step)) return Set(walk, *set);
    if (const auto *verdict = std::get_if<NfVerdict>(&step)) return Go(walk, *verdict, out);
    if (std::holds_alternative<NfNoTrack>(step)) {
      if (walk.state == kNfInvalid) walk.state = kNfUntracked;
      return true;
    }
    if (const auto *lookup = std::get_if<NfLookup>(&step)) return Look(walk, *lookup, out);
    if (const auto *unknown = std::get_if<NfUnknownLookup>(&step)) {
      AllCases(walk, *unknown->cases, unknown->words, out);
      return false;
    }
    GiveUp(walk, absl::StrCat(rule.name, ": ", std::get<NfUnknownStatement>(step).words), out);
    return false;
  }

  bool Set(FlowWalk &walk, const NfSetMark &set) {
    if (set.value.connection != 0 && walk.state != kNfNew) {
      walk.NextRule();
      return true;
    }
    if (set.of_connection && walk.state != kNfNew) return true;
    const NfMark &packet = walk.end.mark, &connection = walk.end.connection;
    const NfMark mark{(packet.mask & set.value.packet) ^ (connection.mask & set.value.connection),
                      (packet.constant & set.value.packet) ^
                          (connection.constant & set.value.connection) ^ set.value.constant};
    (set.of_connection ? walk.end.connection : walk.end.mark) = mark;
    if (!set.of_connection) walk.end.marked_by = &walk.rule();
    return true;
  }

  bool Go(FlowWalk &walk, const NfVerdict &verdict, std::vector<NfClass> &out) {
    switch (verdict.kind) {
      case NfVerdictKind::kAccept:
        walk.places.clear();
        Leave(walk);
        return true;
      case NfVerdictKind::kDrop:
        Drop(walk, out);
        return false;
      case NfVerdictKind::kReturn:
        walk.EndChain();
        return true;
      case NfVerdictKind::kJump:
      case NfVerdictKind::kGoto:
        break;
    }
    const NfChain *target = Target(walk, verdict);
    if (target == nullptr || walk.places.size() > kNfNesting) {
      GiveUp(walk,
             absl::StrCat(walk.rule().name, ": leads to ", verdict.chain,
                          ", which is not there or leads back"),
             out);
      return false;
    }
    walk.NextRule();
    if (verdict.kind == NfVerdictKind::kGoto) walk.EndChain();
    walk.places.push_back({target, 0});
    return true;
  }

  // Those of the walk's flows that are in `flows`, as a walk of their own.
  static FlowWalk Part(const FlowWalk &walk, const Condition &flows) {
    FlowWalk part = walk;
    part.flows = flows;
    ++part.depth;
    return part;
  }

  MatchContext ContextOf(const FlowWalk &walk) const {
    return {walk.end.mark, walk.end.connection, walk.state, ways_, &walk.tos};
  }

  // The matches from here on; what they do not hold for goes on with the next rule.
  bool Divide(FlowWalk &walk, std::vector<NfClass> &out) {
    const NfRule &rule = walk.rule();
    const NfMatches matches(rule, walk.step);
    const MatchContext context = ContextOf(walk);
    if (matches.end < rule.steps.size())
      for (const MatchedPart &part :
           MatchedByAll({walk.flows, matches.unknown, matches.aside}, matches.holding, context)) {
        if (part.tos)
          ByTos(Part(walk, part.flows), *part.tos, out);
        else
          Except(Part(walk, part.flows), matches, part, out);
        if (part.whole) return false;
      }
    walk.NextRule();
    return true;
  }

  // The walk's flows go on with what the rule does, if none of the matches holds that are not to.
  void Except(FlowWalk held, const NfMatches &matches, const MatchedPart &matched,
              std::vector<NfClass> &out) {
    const NfNumbers tos = held.tos;
    MatchContext context = ContextOf(held);
    context.tos = &tos;
    std::vector<MatchedPart> by_tos, unsure;
    for (const NfMatch *match : matches.failing) {
      if (NeverHolds(*match, context)) return Skip(std::move(held), out);
      for (MatchedPart &part : Matched({held.flows}, match->keys, *match->boxes, context)) {
        if (part.tos || !part.unknown.empty()) {
          (part.tos ? by_tos : unsure).push_back(std::move(part));
          continue;
        }
        Skip(Part(held, part.flows), out);
        if (part.whole) return;
      }
    }
    for (const MatchedPart &part : by_tos) {
      ByTos(Part(held, part.flows), *part.tos, out);
      if (part.whole) return;
    }
    held.step = matches.end;
    for (const MatchedPart &part : unsure) {
      EitherWay(Part(held, part.flows), part, out);
      if (part.whole) return;
    }
    if (matched.unknown.empty()) return Follow(std::move(held), out);
    EitherWay(std::move(held), matched, out);
  }

  // The flows from here on for packets of these tos or for those of the others, whichever has tos
  // 0. Who decides does not tell the values apart that dscp does not.
  void ByTos(FlowWalk walk, const NfNumbers &tos, std::vector<NfClass> &out) {
    if (walk.end.by_tos == nullptr) walk.end.by_tos = &walk.rule();
    walk.tos = Contains(tos, 0) ? tos : Intersection(walk.tos, Complement(tos, kLastTos));
    if (!Covers(walk.tos, {{0, kLastEcn}})) {
      const std::string name = walk.rule().name;
      return GiveUp(std::move(walk), name + ": looks at the two bits of a tos that are no dscp",
                    out);
    }
    Follow(std::move(walk), out);
  }

  void Skip(FlowWalk walk, std::vector<NfClass> &out) {
    walk.NextRule();
    Follow(std::move(walk), out);
  }

  // The flows as though they went on with the rule, and as though they did not.
  void EitherWay(FlowWalk walk, const MatchedPart &why, std::vector<NfClass> &out) {
    const std::string words = absl::StrCat(walk.rule().name, ": ", why.unknown);
    std::vector<NfClass> holds, fails;
    FlowWalk other = Part(walk, walk.flows);
    Follow(Part(walk, walk.flows), holds);
    Skip(std::move(other), fails);
    Merge(holds, fails, words, why.aside, out);
  }

  bool Then(FlowWalk &walk, const NfCase &one, std::vector<NfClass> &out) {
    if (const auto *verdict = std::get_if<NfVerdict>(&one.then)) return Go(walk, *verdict, out);
    return Set(walk, std::get<NfSetMark>(one.then));
  }

  bool Look(FlowWalk &walk, const NfLookup &lookup, std::vector<NfClass> &out) {
    const MatchContext context = ContextOf(walk);
    std::vector<std::pair<MatchedPart, const NfCase *>> parts;
    for (const NfCase &one : *lookup.cases)
      for (MatchedPart &part : Matched({walk.flows}, lookup.keys, one.boxes, context)) {
        if (part.tos) {
          --walk.step;
          ByTos(Part(walk, walk.flows), *part.tos, out);
          return false;
        }
        if (!part.unknown.empty()) {
          AllCases(walk, *lookup.cases, part.unknown, out);
          return false;
        }
        parts.emplace_back(std::move(part), &one);
      }
    for (const auto &[part, one] : parts) {
      FlowWalk held = Part(walk, part.flows);
      if (Then(held, *one, out)) Follow(std::move(held), out);
      if (part.whole) return false;
    }
    walk.NextRule();
    return true;
  }

  void AllCases(const FlowWalk &walk, const std::vector<NfCase> &cases, const std::string &why,
                std::vector<NfClass> &out) {
    const std::string words = absl::StrCat(walk.rule().name, ": ", why);
    std::vector<NfClass> all;
    Skip(Part(walk, walk.flows), all);
    for (const NfCase &one : cases) {
      std::vector<NfClass> so_far, of_case;
      FlowWalk held = Part(walk, walk.flows);
      if (Then(held, one, of_case)) Follow(std::move(held), of_case);
      std::swap(so_far, all);
      Merge(so_far, of_case, words, false, all);
    }
    out.insert(out.end(), all.begin(), all.end());
  }

  void BothOrders(FlowWalk walk, std::vector<NfClass> &out) {
    const std::size_t base = walk.base;
    const std::string words =
        absl::StrCat(chains_[base].table->name, " and ", chains_[base + 1].table->name,
                     ": chains of equal priority, whose order is not to be seen");
    std::vector<NfClass> one, other;
    chains_[base].tied = false;
    Follow(Part(walk, walk.flows), one);
    std::swap(chains_[base], chains_[base + 1]);
    std::swap(chains_[base].tied, chains_[base + 1].tied);
    Follow(Part(walk, walk.flows), other);
    std::swap(chains_[base].tied, chains_[base + 1].tied);
    std::swap(chains_[base], chains_[base + 1]);
    chains_[base].tied = true;
    Merge(one, other, words, false, out);
  }

  // Of two lists about the same flows, what both say. That one of them drops a flow does not matter
  // where what they differ by is `aside`: its mark is of interest if it is not dropped.
  void Merge(const std::vector<NfClass> &ones, const std::vector<NfClass> &others,
             const std::string &why, bool aside, std::vector<NfClass> &out) {
    for (const NfClass &one : ones)
      for (const NfClass &other : others) {
        if (!Spend()) {
          out.push_back(one);
          out.back().end.unknown = kTooMuch;
          break;
        }
        std::optional<Condition> both = Intersection(one.flows, other.flows);
        if (!both) continue;
        const bool whole = Covers(other.flows, one.flows);
        const bool one_drops = one.end.dropped != other.end.dropped;
        NfClass merged{*std::move(both), one.end.dropped ? other.end : one.end};
        if (!one.end.unknown.empty())
          merged.end = one.end;
        else if (!other.end.unknown.empty())
          merged.end = other.end;
        else if (!(one_drops && aside) && !EndAlike(one.end, other.end, merged.flows))
          merged.end.unknown = why;
        merged.end.by_tos = one.end.by_tos != nullptr ? one.end.by_tos : other.end.by_tos;
        out.push_back(std::move(merged));
        if (whole) break;
      }
  }

  std::vector<NfOutputChain> chains_;
  const NfWays *const ways_;
  std::map<const NfChain *, bool> inert_;
  std::size_t &budget_;
};

}  // namespace

// What only drops, and does not look at marks or comes after all that set them, drops the same
// packets whatever mark their sockets have; unless it looks at what changes with that mark.
std::vector<NfOutputChain> ChainsThatMatter(const NfRuleSet &rules, int family, bool ways) {
  std::vector<NfOutputChain> all = OutputChains(rules, family), out;
  std::size_t end = all.size();
  while (end > 0 && !HasEffect(*all[end - 1].table, *all[end - 1].chain)) --end;
  if (end == 0) return out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const NfTable &table = *all[i].table;
    const NfChain &chain = *all[i].chain;
    if (HasEffect(table, chain) || (i < end && LooksAtMarks(table, chain)) ||
        (ways && CanDrop(table, chain) && LooksAtWays(table, chain)))
      out.push_back(all[i]);
  }
  FindTies(out);
  return out;
}

std::vector<NfClass> Explore(const std::vector<NfOutputChain> &chains, const Condition &flows,
                             const NfMark &mark, const NfWays *ways, std::size_t &budget) {
  FlowWalk walk;
  walk.flows = flows;
  walk.end.mark = walk.end.routed = mark;
  std::vector<NfClass> out;
  Explorer(chains, ways, budget).Follow(std::move(walk), out);
  return out;
}

bool EndAlike(const NfEnd &a, const NfEnd &b, const Condition &flows) {
  if (!a.unknown.empty() || !b.unknown.empty() || a.dropped != b.dropped) return false;
  return a.dropped || (flows.Reduced(a.mark) == flows.Reduced(b.mark) &&
                       flows.Reduced(a.connection) == flows.Reduced(b.connection) &&
                       flows.Reduced(a.routed) == flows.Reduced(b.routed));
}

}  // namespace srcsel
