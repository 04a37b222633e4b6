#include "netfilter/class_rules.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "netfilter/explore.hh"

namespace srcsel {
namespace {

// How many classes further a like one is looked for.
constexpr std::size_t kWindow = 200;

class Marker {
 public:
  Marker(const std::vector<NfOutputChain> &chains, std::size_t &budget)
      : chains_(chains), budget_(budget) {}

  void Add(const NfClass &one) {
    if (!one.end.unknown.empty()) return Leave(one.flows, one.end.unknown, false);
    if (one.end.dropped) return;
    const NfMark routed = one.end.routed;
    const NfMark reduced = one.flows.Reduced(routed);
    const std::string name = one.end.marked_by == nullptr ? "" : one.end.marked_by->name;
    if (reduced == one.flows.Reduced({0xffffffff, 0})) return Leave(one.flows, name, true);
    // Bits of the socket's mark that are turned over: to be known, they must be 0.
    Condition flows = one.flows;
    const std::uint32_t turned = reduced.mask & reduced.constant;
    if (turned != 0) Narrow(flows, NfMark{0xffffffff, 0}, {0, turned});
    const std::uint32_t mask = ~routed.mask | (routed.mask & routed.constant & flows.mark.mask);
    const Mark mark{flows.Reduced(routed).constant & mask, mask};
    if (mark.value == 0)
      Leave(flows, name, true);
    else
      AddMarked(flows, name, mark, one.end);
    if (turned != 0)
      Leave(one.flows, absl::StrCat(name, ": turns bits of the application's own mark over"),
            false);
  }

  std::vector<MarkedClass> Take() && { return std::move(out_); }

 private:
  void Leave(const Condition &flows, const std::string &name, bool known) {
    out_.push_back({flows, name, known, std::nullopt, Apply::kMark});
  }

  // As it is, and as it would be if the socket had the mark already.
  void AddMarked(const Condition &flows, const std::string &name, const Mark &mark,
                 const NfEnd &end) {
    for (const NfClass &again : Explore(chains_, flows, {~mark.mask, mark.value}, budget_)) {
      const bool same = EndAlike(end, again.end, again.flows);
      out_.push_back({again.flows, name, true, mark, same ? Apply::kMark : Apply::kBind});
    }
  }

  const std::vector<NfOutputChain> &chains_;
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
  return one.known && !one.mark;
}

}  // namespace

std::vector<MarkedClass> MarkClasses(const std::vector<NfOutputChain> &chains,
                                     const Condition &flows, std::size_t &budget) {
  Marker marker(chains, budget);
  for (const NfClass &one : Explore(chains, flows, {0xffffffff, 0}, budget)) marker.Add(one);
  std::vector<MarkedClass> all = std::move(marker).Take(), kept;  // the last one first
  for (auto one = all.rbegin(); one != all.rend(); ++one)
    if (!IsNeedless(kept, *one)) kept.push_back(std::move(*one));
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace srcsel
