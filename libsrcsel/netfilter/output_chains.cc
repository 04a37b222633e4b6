#include "netfilter/output_chains.hh"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/functional/function_ref.h"

namespace srcsel {
namespace {

using Test = absl::FunctionRef<bool(const NfStep &)>;

const NfChain *Target(const NfTable &table, const NfVerdict &verdict) {
  const auto found = table.chains.find(verdict.chain);
  return found == table.chains.end() ? nullptr : &found->second;
}

bool Any(const NfTable &table, const NfChain &chain, Test test, std::set<const NfChain *> &seen);

bool AnyBeyond(const NfTable &table, const NfVerdict &verdict, Test test,
               std::set<const NfChain *> &seen) {
  const NfChain *target = Target(table, verdict);
  return target != nullptr && Any(table, *target, test, seen);
}

bool Any(const NfTable &table, const NfStep &step, Test test, std::set<const NfChain *> &seen) {
  if (test(step)) return true;
  if (const auto *verdict = std::get_if<NfVerdict>(&step))
    return AnyBeyond(table, *verdict, test, seen);
  const std::vector<NfCase> *cases = nullptr;
  if (const auto *lookup = std::get_if<NfLookup>(&step)) cases = lookup->cases.get();
  if (const auto *lookup = std::get_if<NfUnknownLookup>(&step)) cases = lookup->cases.get();
  return cases != nullptr && std::ranges::any_of(*cases, [&](const NfCase &one) {
           if (const auto *verdict = std::get_if<NfVerdict>(&one.then))
             return test(*verdict) || AnyBeyond(table, *verdict, test, seen);
           return test(std::get<NfSetMark>(one.then));
         });
}

bool Any(const NfTable &table, const NfChain &chain, Test test, std::set<const NfChain *> &seen) {
  if (!seen.insert(&chain).second) return false;
  for (const NfRule &rule : chain.rules)
    for (const NfStep &step : rule.steps)
      if (Any(table, step, test, seen)) return true;
  return false;
}

// What leaves by lo is for this host itself.
bool LooksAtWays(const NfKey &key, const NfValues &values) {
  if (key.field == NfField::kSource) {
    const NfPrefixes &sources = std::get<NfPrefixes>(values);
    return sources->prefixes.empty() || sources->prefixes.front().length != 0;
  }
  const auto is_plain = [](const std::string &name) { return name == "lo" || name == "*"; };
  return key.field == NfField::kOutDevice &&
         !std::ranges::all_of(std::get<NfNames>(values), is_plain);
}

bool LooksAtWays(const std::vector<NfKey> &keys, const NfBoxes &boxes) {
  return std::ranges::any_of(boxes, [&](const NfBox &box) {
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (LooksAtWays(keys[i], box[i])) return true;
    return false;
  });
}

bool Reaches(const NfTable &table, const NfChain &chain, Test test) {
  std::set<const NfChain *> seen;
  return Any(table, chain, test, seen);
}

}  // namespace

std::vector<NfOutputChain> OutputChains(const NfRuleSet &rules, int family) {
  std::vector<NfOutputChain> chains;
  for (const NfTable &table : rules.tables) {
    if (!(family == AF_INET ? table.v4 : table.v6)) continue;
    for (const auto &[name, chain] : table.chains)
      if (chain.hook != NfHook::kNone)
        chains.push_back(
            {&table, &chain, chain.hook == NfHook::kNat ? kNfNatPriority : chain.priority, false});
  }
  std::ranges::stable_sort(chains, [](const NfOutputChain &a, const NfOutputChain &b) {
    if (a.priority != b.priority) return a.priority < b.priority;
    if (a.chain->priority != b.chain->priority) return a.chain->priority < b.chain->priority;
    return a.table == b.table && a.chain->order > b.chain->order;
  });
  FindTies(chains);
  return chains;
}

void FindTies(std::vector<NfOutputChain> &chains) {
  for (std::size_t i = 0; i < chains.size(); ++i)
    chains[i].tied = i + 1 < chains.size() && chains[i].priority == chains[i + 1].priority &&
                     chains[i].chain->priority == chains[i + 1].chain->priority &&
                     chains[i].table != chains[i + 1].table;
}

bool HasEffect(const NfTable &table, const NfChain &chain) {
  return Reaches(table, chain, [](const NfStep &step) {
    return std::holds_alternative<NfSetMark>(step) || std::holds_alternative<NfNoTrack>(step) ||
           std::holds_alternative<NfUnknownStatement>(step);
  });
}

bool LooksAtMarks(const NfTable &table, const NfChain &chain) {
  const auto looks = [](const std::vector<NfKey> &keys) {
    return std::ranges::any_of(keys, [](const NfKey &key) {
      return key.field == NfField::kMark || key.field == NfField::kConnectionMark;
    });
  };
  return Reaches(table, chain, [&](const NfStep &step) {
    if (const auto *match = std::get_if<NfMatch>(&step)) return looks(match->keys);
    const auto *lookup = std::get_if<NfLookup>(&step);
    return lookup != nullptr && looks(lookup->keys);
  });
}

bool LooksAtWays(const NfTable &table, const NfChain &chain) {
  return Reaches(table, chain, [](const NfStep &step) {
    if (const auto *match = std::get_if<NfMatch>(&step))
      return LooksAtWays(match->keys, *match->boxes);
    const auto *lookup = std::get_if<NfLookup>(&step);
    return lookup != nullptr && std::ranges::any_of(*lookup->cases, [&](const NfCase &one) {
             return LooksAtWays(lookup->keys, one.boxes);
           });
  });
}

bool CanDrop(const NfTable &table, const NfChain &chain) {
  return chain.drops || Reaches(table, chain, [](const NfStep &step) {
           const auto *verdict = std::get_if<NfVerdict>(&step);
           return verdict != nullptr && verdict->kind == NfVerdictKind::kDrop;
         });
}

}  // namespace srcsel
