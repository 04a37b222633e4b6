#include "image/compile_pools.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "image/compile_policy.hh"
#include "image/key.hh"

namespace srcsel {
namespace {

struct Member {
  srcsel_slot slot{};
  std::int64_t weight = 0;
  bool live = false;
  std::int64_t credit = 0;
};

std::optional<Member> MemberOf(const PoolMember &m, const State &state, int family) {
  Member member{.weight = m.weight, .live = true};
  if (!m.source) return member;
  if (const auto *address = std::get_if<IpAddress>(&*m.source)) {
    if (address->family() != family) return std::nullopt;
    CopyWire(*address, member.slot.source);
    member.live = IsHeld(*address, state);
    return member;
  }
  const auto lent = AddressOf(state, std::get<DeviceSource>(*m.source), family);
  if (lent) CopyWire(*lent, member.slot.source);
  member.live = lent.has_value();
  return member;
}

// Smooth weighted round-robin over the members that `may` be drawn: the one with most credit.
template <typename May>
Member *Draw(std::vector<Member> &members, May may) {
  Member *best = nullptr;
  std::int64_t total = 0;
  for (Member &member : members) {
    if (!may(member)) continue;
    member.credit += member.weight;
    total += member.weight;
    if (best == nullptr || member.credit > best->credit) best = &member;
  }
  if (best != nullptr) best->credit -= total;
  return best;
}

}  // namespace

bool IsHeld(const IpAddress &address, const State &state) {
  for (const InterfaceAddress &a : state.addresses)
    if (a.local == address) return !(a.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
  return std::ranges::any_of(state.routes.entries(), [&](const Routes::Entry &route) {
    const RouteTerms &terms = state.routes.TermsOf(route);
    return terms.type == RTN_LOCAL && terms.table == RT_TABLE_LOCAL && route.dst.Contains(address);
  });
}

std::vector<srcsel_slot> CompilePool(const Pool &pool, const State &state, int family) {
  std::vector<Member> members;
  for (const PoolMember &m : pool.members)
    if (auto member = MemberOf(m, state, family)) members.push_back(*member);
  if (std::ranges::none_of(members, &Member::live)) return {};

  std::int64_t unit = 0, total = 0;
  for (const Member &member : members) unit = std::gcd(unit, member.weight);
  for (Member &member : members) total += member.weight /= unit;

  std::vector<const Member *> owners;
  for (std::int64_t i = 0; i < total; ++i)
    owners.push_back(Draw(members, [](const Member &) { return true; }));
  for (Member &member : members) member.credit = 0;

  std::vector<srcsel_slot> slots;
  for (const Member *owner : owners) {
    if (!owner->live) owner = Draw(members, [](const Member &m) { return m.live; });
    slots.push_back(owner->slot);
  }
  return slots;
}

}  // namespace srcsel
