#include "netfilter/class_rules.hh"

#include <netinet/in.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "netfilter/explore.hh"

namespace srcsel {
namespace {

// How many classes further a like one is looked for.
constexpr std::size_t kWindow = 200;
// Sockets of more marks than these are not told apart.
constexpr std::size_t kMarks = 16;

constexpr NfMark kOwnMark{0xffffffff, 0};

std::string NameOf(const NfRule *rule) {
  return rule == nullptr ? "" : rule->name;
}

// The ways of flows whose sockets' marks are one of those that routes tell apart.
class WaysOfMarks {
 public:
  WaysOfMarks(FirstWays *ways, int family) : ways_(ways), family_(family) {
    if (ways_ != nullptr) marks_ = ways_->MarksOf(family_);
    if (marks_.values.size() > kMarks) marks_ = {marks_.mask, {0}, std::nullopt};
  }

  // Flows by what is known of their marks; the last ones are the rest.
  std::vector<Condition> Divide(const Condition &flows) const {
    std::vector<Condition> parts;
    if (ways_ != nullptr)
      for (const std::uint32_t value : marks_.values) {
        Condition part = flows;
        const Narrowing left = Narrow(part, kOwnMark, Mark{value, marks_.mask});
        if (left != Narrowing::kNothing) parts.push_back(std::move(part));
        if (left == Narrowing::kAll) return parts;
      }
    parts.push_back(flows);
    return parts;
  }

  // Of flows of one such part, whose sockets' marks are those as computed.
  std::shared_ptr<const NfWays> Of(const Condition &flows, const NfMark &computed) const {
    const std::optional<std::uint32_t> mark = ValueOf(flows, computed);
    return mark ? ways_->Of(family_, *mark, std::nullopt) : nullptr;
  }
  // If their sockets are bound to the source that they would have by the mark as computed.
  std::shared_ptr<const NfWays> BoundBy(const Condition &flows, const NfMark &computed) const {
    const std::optional<std::uint32_t> mark = ValueOf(flows, kOwnMark),
                                       by = ValueOf(flows, computed);
    return mark && by ? ways_->Of(family_, *mark, by) : nullptr;
  }

 private:
  std::optional<std::uint32_t> ValueOf(const Condition &flows, const NfMark &computed) const {
    if (ways_ == nullptr) return std::nullopt;
    const NfMark mark = flows.Reduced(computed);
    if ((mark.mask & marks_.mask) == 0) return mark.constant & marks_.mask;
    return computed == kOwnMark ? marks_.other : std::nullopt;
  }

  FirstWays *const ways_;
  const int family_;
  FirstWays::Marks marks_;
};

class Marker {
 public:
  Marker(const std::vector<NfOutputChain> &chains, const WaysOfMarks *ways, std::size_t &budget)
      : chains_(chains), ways_(ways), budget_(budget) {}

  void AddAll(const Condition &flows) {
    for (const NfClass &one : After(flows, kOwnMark)) Add(one);
  }

  std::vector<MarkedClass> Take() && { return std::move(out_); }

 private:
  std::vector<NfClass> After(const Condition &flows, const NfMark &mark) {
    const auto ways = ways_ == nullptr ? nullptr : ways_->Of(flows, mark);
    return Explore(chains_, flows, mark, ways.get(), budget_);
  }

  void Add(const NfClass &one) {
    if (!one.end.unknown.empty()) return LeaveUnknown(one.flows, one.end.unknown);
    const std::string by_tos = NameOf(one.end.by_tos);
    if (one.end.dropped) return Leave(one.flows, "dropped", by_tos);
    const NfMark routed = one.end.routed;
    const NfMark reduced = one.flows.Reduced(routed);
    const std::string name = NameOf(one.end.marked_by);
    if (reduced == one.flows.Reduced(kOwnMark)) return Leave(one.flows, name, by_tos);
    // Bits of the socket's mark that are turned over: to be known, they must be 0.
    Condition flows = one.flows;
    const std::uint32_t turned = reduced.mask & reduced.constant;
    if (turned != 0) Narrow(flows, kOwnMark, {0, turned});
    const std::uint32_t mask = ~routed.mask | (routed.mask & routed.constant & flows.mark.mask);
    const Mark mark{flows.Reduced(routed).constant & mask, mask};
    if (mark.value == 0)
      Leave(flows, name, by_tos);
    else
      AddMarked(flows, name, mark, one.end);
    if (turned != 0)
      LeaveUnknown(one.flows,
                   absl::StrCat(name, ": turns bits of the application's own mark over"));
  }

  void Leave(const Condition &flows, const std::string &name, const std::string &by_tos) {
    out_.push_back({flows, name, true, std::nullopt, Apply::kMark, by_tos});
  }
  void LeaveUnknown(const Condition &flows, const std::string &why) {
    out_.push_back({flows, why, false, std::nullopt, Apply::kMark});
  }

  // As it is, and as it would be if the socket had the mark already.
  void AddMarked(const Condition &flows, const std::string &name, const Mark &mark,
                 const NfEnd &end) {
    for (const NfClass &again : After(flows, {~mark.mask, mark.value})) {
      const bool same = EndAlike(end, again.end, again.flows);
      const NfRule *by_tos = end.by_tos != nullptr ? end.by_tos : again.end.by_tos;
      AddBound({again.flows, name, true, mark, same ? Apply::kMark : Apply::kBind, NameOf(by_tos)},
               end);
      if (Covers(again.flows, flows)) break;  // the classes that follow have nothing left
    }
  }

  // And as it would be if the socket were bound to the source that goes with the mark, which first
  // datagrams are even where the mark is set.
  void AddBound(MarkedClass one, const NfEnd &end) {
    if (ways_ == nullptr) {
      out_.push_back(std::move(one));
      return;
    }
    const auto bound = ways_->BoundBy(one.flows, {~one.mark->mask, one.mark->value});
    for (NfClass &again : Explore(chains_, one.flows, kOwnMark, bound.get(), budget_)) {
      MarkedClass part = one;
      part.flows = std::move(again.flows);
      if (part.by_tos.empty()) part.by_tos = NameOf(again.end.by_tos);
      const bool last = Covers(part.flows, one.flows);
      if (EndAlike(end, again.end, part.flows))
        out_.push_back(std::move(part));
      else
        AddConnected(std::move(part));
      if (last) break;
    }
  }

  // Connections alone: their sockets have the mark before they have the source.
  void AddConnected(MarkedClass one) {
    const Condition flows = one.flows;
    const std::string why = absl::StrCat(
        one.name, ": with the source that goes with its mark, the rules end otherwise");
    if (one.apply == Apply::kMark &&
        Narrow(one.flows.protos, {{IPPROTO_TCP, IPPROTO_TCP}}) != Narrowing::kNothing)
      out_.push_back(std::move(one));
    LeaveUnknown(flows, why);
  }

  const std::vector<NfOutputChain> &chains_;
  const WaysOfMarks *const ways_;  // null where the rules do not look at ways
  std::size_t &budget_;
  std::vector<MarkedClass> out_;
};

// Whether flows of `classes[i]` are done by as well without it.
bool IsNeedless(const std::vector<MarkedClass> &later, const MarkedClass &one) {
  std::size_t looked_at = 0;
  for (auto next = later.rbegin(); next != later.rend(); ++next) {
    if (++looked_at > kWindow) return false;
    if (next->DoesLike(one)) {
      if (Covers(next->flows, one.flows)) return true;
    } else if (Intersection(next->flows, one.flows)) {
      return false;
    }
  }
  return one.known && !one.mark && one.by_tos.empty();
}

}  // namespace

std::vector<MarkedClass> MarkClasses(const std::vector<NfOutputChain> &chains,
                                     const Condition &flows, FirstWays *ways, std::size_t &budget) {
  const bool look = std::ranges::any_of(
      chains, [](const NfOutputChain &base) { return LooksAtWays(*base.table, *base.chain); });
  const WaysOfMarks of_marks(ways, flows.to->prefixes.front().address.family());
  Marker marker(chains, look ? &of_marks : nullptr, budget);
  if (look)
    for (const Condition &part : of_marks.Divide(flows)) marker.AddAll(part);
  else
    marker.AddAll(flows);
  std::vector<MarkedClass> all = std::move(marker).Take(), kept;  // the last one first
  for (auto one = all.rbegin(); one != all.rend(); ++one)
    if (!IsNeedless(kept, *one)) kept.push_back(std::move(*one));
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace srcsel
