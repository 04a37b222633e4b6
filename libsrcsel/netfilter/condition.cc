#include "netfilter/condition.hh"

#include <utility>

#include "netfilter/evaluate.hh"
#include "netfilter/numbers.hh"

namespace srcsel {
namespace {

bool Covers(const std::optional<NfNumbers> &wide, const std::optional<NfNumbers> &narrow) {
  return !wide || (narrow && Covers(*wide, *narrow));
}

bool Add(const std::optional<NfNumbers> &numbers, std::optional<NfNumbers> &to) {
  return !numbers || Narrow(to, *numbers) != Narrowing::kNothing;
}

}  // namespace

NfMark Condition::Reduced(const NfMark &computed) const {
  return {computed.mask & ~mark.mask, computed.constant ^ (computed.mask & mark.value)};
}

Narrowing Narrow(Condition &condition, const NfPrefixes &destinations) {
  NfPrefixes both = Intersection(condition.to, destinations);
  if (both->prefixes.empty()) return Narrowing::kNothing;
  if (both == condition.to) return Narrowing::kAll;
  condition.to = std::move(both);
  return Narrowing::kSome;
}

Narrowing Narrow(std::optional<NfNumbers> &selector, const NfNumbers &numbers) {
  if (numbers.empty()) return Narrowing::kNothing;
  if (!selector) {
    if (numbers == NfNumbers{{}}) return Narrowing::kAll;
    selector = numbers;
    return Narrowing::kSome;
  }
  NfNumbers both = Intersection(*selector, numbers);
  if (both.empty()) return Narrowing::kNothing;
  if (both == *selector) return Narrowing::kAll;
  selector = std::move(both);
  return Narrowing::kSome;
}

Narrowing Narrow(Condition &condition, const Cgroup &cgroup) {
  if (cgroup.path == "/") return Narrowing::kAll;
  if (condition.cgroup) {
    if (IsWithin(condition.cgroup->path, cgroup.path)) return Narrowing::kAll;
    if (!IsWithin(cgroup.path, condition.cgroup->path)) return Narrowing::kNothing;
  }
  condition.cgroup = cgroup;
  return Narrowing::kSome;
}

Narrowing Narrow(Condition &condition, const NfMark &computed, const Mark &test) {
  const std::uint32_t mask = computed.mask & test.mask;
  const std::uint32_t value = test.value ^ (computed.constant & test.mask);
  if (value & ~mask) return Narrowing::kNothing;
  Mark &known = condition.mark;
  if ((known.value ^ value) & known.mask & mask) return Narrowing::kNothing;
  if ((mask & ~known.mask) == 0) return Narrowing::kAll;
  known = {known.value | value, known.mask | mask};
  return Narrowing::kSome;
}

std::optional<Condition> Intersection(const Condition &a, const Condition &b) {
  Condition both = a;
  if (Narrow(both, b.to) == Narrowing::kNothing) return std::nullopt;
  if (!Add(b.protos, both.protos) || !Add(b.dports, both.dports) || !Add(b.uids, both.uids) ||
      !Add(b.gids, both.gids) || !Add(b.classids, both.classids))
    return std::nullopt;
  if (b.cgroup && Narrow(both, *b.cgroup) == Narrowing::kNothing) return std::nullopt;
  if (Narrow(both, NfMark{0xffffffff, 0}, b.mark) == Narrowing::kNothing) return std::nullopt;
  return both;
}

bool Covers(const Condition &wide, const Condition &narrow) {
  if ((wide.mark.mask & ~narrow.mark.mask) != 0 ||
      ((wide.mark.value ^ narrow.mark.value) & wide.mark.mask) != 0)
    return false;
  if (!Covers(wide.protos, narrow.protos) || !Covers(wide.dports, narrow.dports) ||
      !Covers(wide.uids, narrow.uids) || !Covers(wide.gids, narrow.gids) ||
      !Covers(wide.classids, narrow.classids))
    return false;
  if (wide.cgroup && !(narrow.cgroup && IsWithin(narrow.cgroup->path, wide.cgroup->path)))
    return false;
  return wide.to == narrow.to || Covers(*wide.to, *narrow.to);
}

}  // namespace srcsel
