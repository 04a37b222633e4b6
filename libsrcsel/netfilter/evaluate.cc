#include "netfilter/evaluate.hh"

#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "netfilter/numbers.hh"
#include "netfilter/output_chains.hh"

namespace srcsel {
namespace {

// Both ways of so many unknown steps are gone.
constexpr int kForks = 8;

enum class Truth { kNo, kYes, kUnknown };

Truth Of(bool holds) {
  return holds ? Truth::kYes : Truth::kNo;
}

struct Walk {
  std::vector<NfOutputChain> chains;
  std::size_t base = 0;         // of `chains`
  std::vector<NfPlace> places;  // where the packet is, and where it returns to
  std::size_t step = 0;
  std::uint32_t state = kNfInvalid;
  std::uint32_t before = 0;  // the mark, as the base chain found it
  int forks = 0;
  NfOutcome outcome;
};

class Evaluator {
 public:
  explicit Evaluator(const NfFlow &flow) : flow_(flow) {}

  NfOutcome Run(Walk walk) const {
    while (walk.outcome.unknown.empty() && walk.base < walk.chains.size()) {
      if (walk.chains[walk.base].tied) return BothOrders(std::move(walk));
      if (Enter(walk); !Traverse(walk)) return std::move(walk.outcome);
    }
    return std::move(walk.outcome);
  }

 private:
  static void Enter(Walk &walk) {
    const NfOutputChain &base = walk.chains[walk.base];
    if (base.priority > kNfConntrackPriority && walk.state == kNfInvalid) walk.state = kNfNew;
    walk.before = walk.outcome.mark;
    walk.places = {{base.chain, 0}};
    walk.step = 0;
  }

  // To the end of the base chain. False: the outcome is final.
  bool Traverse(Walk &walk) const {
    while (!walk.places.empty()) {
      NfPlace &place = walk.places.back();
      if (place.rule == place.chain->rules.size()) {
        walk.places.pop_back();
        if (walk.places.empty() && walk.chains[walk.base].chain->drops) return Drop(walk);
        continue;
      }
      const NfRule &rule = place.chain->rules[place.rule];
      if (walk.step == rule.steps.size()) {
        if (!rule.steps.empty()) walk.outcome.passed.push_back(rule.name);
        NextRule(walk);
        continue;
      }
      if (!Take(walk, rule)) return false;
    }
    Leave(walk);
    return true;
  }

  static void Leave(Walk &walk) {
    const bool routes = walk.chains[walk.base].chain->hook == NfHook::kRoute;
    if (routes && walk.outcome.mark != walk.before) walk.outcome.routed = walk.outcome.mark;
    walk.places.clear();
    ++walk.base;
  }

  static bool Drop(Walk &walk) {
    walk.outcome.dropped = true;
    return false;
  }

  static void NextRule(Walk &walk) {
    ++walk.places.back().rule;
    walk.step = 0;
  }

  bool Take(Walk &walk, const NfRule &rule) const {
    const NfStep &step = rule.steps[walk.step++];
    if (const auto *match = std::get_if<NfMatch>(&step)) {
      const Truth truth = Holds(*match, walk);
      if (truth == Truth::kUnknown) return Fork(walk, rule, "looks at ports", nullptr);
      if (truth == Truth::kNo) NextRule(walk);
      return true;
    }
    if (const auto *unknown = std::get_if<NfUnknownMatch>(&step))
      return Fork(walk, rule, unknown->words, nullptr);
    if (const auto *set = std::get_if<NfSetMark>(&step)) return Set(walk, *set);
    if (const auto *verdict = std::get_if<NfVerdict>(&step)) return Go(walk, rule, *verdict);
    if (std::holds_alternative<NfNoTrack>(step)) {
      if (walk.state == kNfInvalid) walk.state = kNfUntracked;
      return true;
    }
    if (const auto *lookup = std::get_if<NfLookup>(&step)) return Look(walk, rule, *lookup);
    if (const auto *unknown = std::get_if<NfUnknownLookup>(&step))
      return Fork(walk, rule, unknown->words, unknown->cases.get());
    walk.outcome.unknown = absl::StrCat(rule.name, ": ", std::get<NfUnknownStatement>(step).words);
    return false;
  }

  static bool HasConnection(const Walk &walk) { return walk.state == kNfNew; }

  static bool Set(Walk &walk, const NfSetMark &set) {
    NfOutcome &outcome = walk.outcome;
    if (set.value.connection != 0 && !HasConnection(walk)) {
      NextRule(walk);
      return true;
    }
    const std::uint32_t mark = (outcome.mark & set.value.packet) ^
                               (outcome.connection_mark & set.value.connection) ^
                               set.value.constant;
    if (!set.of_connection)
      outcome.mark = mark;
    else if (HasConnection(walk))
      outcome.connection_mark = mark;
    return true;
  }

  bool Go(Walk &walk, const NfRule &rule, const NfVerdict &verdict) const {
    walk.outcome.passed.push_back(rule.name);
    switch (verdict.kind) {
      case NfVerdictKind::kAccept:
        walk.places.clear();
        return true;
      case NfVerdictKind::kDrop:
        return Drop(walk);
      case NfVerdictKind::kReturn:
        walk.places.back().rule = walk.places.back().chain->rules.size();
        walk.step = 0;
        return true;
      case NfVerdictKind::kJump:
      case NfVerdictKind::kGoto:
        break;
    }
    const NfTable &table = *walk.chains[walk.base].table;
    const auto target = table.chains.find(verdict.chain);
    if (target == table.chains.end() || walk.places.size() > kNfNesting) {
      walk.outcome.unknown = absl::StrCat(rule.name, ": leads to ", verdict.chain,
                                          ", which is not there or leads back");
      return false;
    }
    NextRule(walk);
    if (verdict.kind == NfVerdictKind::kGoto)
      walk.places.back().rule = walk.places.back().chain->rules.size();
    walk.places.push_back({&target->second, 0});
    return true;
  }

  bool Then(Walk &walk, const NfRule &rule, const NfCase &one) const {
    if (const auto *verdict = std::get_if<NfVerdict>(&one.then)) return Go(walk, rule, *verdict);
    return Set(walk, std::get<NfSetMark>(one.then));
  }

  bool Look(Walk &walk, const NfRule &rule, const NfLookup &lookup) const {
    for (const NfCase &one : *lookup.cases) {
      const Truth truth = AnyBox(lookup.keys, one.boxes, walk);
      if (truth == Truth::kUnknown) return Fork(walk, rule, "looks at ports", lookup.cases.get());
      if (truth == Truth::kYes) return Then(walk, rule, one);
    }
    NextRule(walk);
    return true;
  }

  // Goes on as though the step held, in each of the cases, and as though it did not.
  bool Fork(Walk &walk, const NfRule &rule, const std::string &words,
            const std::vector<NfCase> *cases) const {
    std::vector<NfOutcome> outcomes;
    if (++walk.forks <= kForks) {
      Walk other = walk;
      NextRule(other);
      outcomes.push_back(GoOn(std::move(other)));
      if (cases == nullptr) outcomes.push_back(GoOn(walk));
      for (std::size_t i = 0; cases != nullptr && i < cases->size(); ++i) {
        other = walk;
        outcomes.push_back(Then(other, rule, (*cases)[i]) ? GoOn(std::move(other)) : other.outcome);
      }
    }
    const bool alike = std::ranges::all_of(
        outcomes, [&](const NfOutcome &outcome) { return outcome.EndsLike(outcomes.front()); });
    if (!outcomes.empty() && alike) {
      walk.outcome = std::move(outcomes.front());
      return false;
    }
    walk.outcome.unknown = absl::StrCat(rule.name, ": ", words);
    return false;
  }

  NfOutcome GoOn(Walk walk) const {
    if (!Traverse(walk)) return std::move(walk.outcome);
    return Run(std::move(walk));
  }

  NfOutcome BothOrders(Walk walk) const {
    walk.chains[walk.base].tied = false;
    Walk other = walk;
    // The one before it may go on to be tied with the one after.
    std::swap(other.chains[walk.base], other.chains[walk.base + 1]);
    std::swap(other.chains[walk.base].tied, other.chains[walk.base + 1].tied);
    other.chains[walk.base].tied = false;
    const std::string words = absl::StrCat(
        walk.chains[walk.base].table->name, " and ", walk.chains[walk.base + 1].table->name,
        ": chains of equal priority, whose order is not to be seen");
    NfOutcome one = Run(std::move(walk));
    if (!one.EndsLike(Run(std::move(other)))) one.unknown = words;
    return one;
  }

  Truth Holds(const NfMatch &match, const Walk &walk) const {
    for (const NfKey &key : match.keys)
      if (key.field == NfField::kConnectionMark && !HasConnection(walk)) return Truth::kNo;
    const Truth truth = AnyBox(match.keys, *match.boxes, walk);
    if (truth == Truth::kUnknown || !match.negated) return truth;
    return Of(truth == Truth::kNo);
  }

  Truth AnyBox(const std::vector<NfKey> &keys, const NfBoxes &boxes, const Walk &walk) const {
    Truth truth = Truth::kNo;
    for (const NfBox &box : boxes) {
      Truth all = Truth::kYes;
      for (std::size_t i = 0; i < keys.size() && all != Truth::kNo; ++i)
        if (const Truth one = Holds(keys[i], box[i], walk); one != Truth::kYes) all = one;
      if (all == Truth::kYes) return all;
      if (all == Truth::kUnknown) truth = all;
    }
    return truth;
  }

  Truth Holds(const NfKey &key, const NfValues &values, const Walk &walk) const {
    switch (key.field) {
      case NfField::kDestination:
        return Of(Contains(*std::get<NfPrefixes>(values), flow_.destination));
      case NfField::kSource:
        return Of(Contains(*std::get<NfPrefixes>(values), flow_.source));
      case NfField::kOutDevice:
        return AnyName(values, flow_.out_device);
      case NfField::kInDevice:
        return AnyName(values, "");
      case NfField::kCgroup:
        return Of(std::ranges::any_of(std::get<NfCgroups>(values), [&](const Cgroup &cgroup) {
          return IsWithin(flow_.cgroup, cgroup.path);
        }));
      default:
        break;
    }
    const std::optional<std::uint32_t> number = Number(key, walk);
    return number ? Of(Contains(std::get<NfNumbers>(values), *number)) : Truth::kUnknown;
  }

  static Truth AnyName(const NfValues &values, const std::string &name) {
    return Of(std::ranges::any_of(std::get<NfNames>(values), [&](const std::string &pattern) {
      return NameFits(pattern, name);
    }));
  }

  std::optional<std::uint32_t> Number(const NfKey &key, const Walk &walk) const {
    switch (key.field) {
      case NfField::kProtocol:
        return flow_.proto;
      case NfField::kDport:
        return HasPorts(flow_.proto) ? std::optional<std::uint32_t>(flow_.dport) : std::nullopt;
      case NfField::kSport:
        return HasPorts(flow_.proto) ? std::optional<std::uint32_t>(flow_.sport) : std::nullopt;
      case NfField::kUid:
        return flow_.uid;
      case NfField::kGid:
        return flow_.gid;
      case NfField::kMark:
        return walk.outcome.mark & key.mask;
      case NfField::kConnectionMark:
        return walk.outcome.connection_mark & key.mask;
      case NfField::kConnectionState:
        return walk.state;
      case NfField::kDestinationType:
        return flow_.destination_type;
      case NfField::kSourceType:
        return flow_.source_type;
      case NfField::kDscp:
        return flow_.tos >> 2;
      case NfField::kTos:
        return flow_.tos;
      case NfField::kClassid:
        return flow_.classid;
      default:
        return std::nullopt;
    }
  }

  const NfFlow &flow_;
};

}  // namespace

bool NameFits(const std::string &pattern, const std::string &name) {
  if (pattern.empty() || pattern.back() != '*') return pattern == name;
  return absl::StartsWith(name, pattern.substr(0, pattern.size() - 1));
}

bool IsWithin(const std::string &cgroup, const std::string &path) {
  return path == "/" || cgroup == path || absl::StartsWith(cgroup, path + "/");
}

bool HasPorts(std::uint32_t proto) {
  return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_DCCP ||
         proto == IPPROTO_SCTP || proto == IPPROTO_UDPLITE;
}

NfOutcome Evaluate(const NfRuleSet &rules, const NfFlow &flow) {
  Walk walk;
  walk.chains = OutputChains(rules, flow.destination.family());
  walk.outcome.mark = walk.outcome.routed = flow.mark;
  return Evaluator(flow).Run(std::move(walk));
}

}  // namespace srcsel
