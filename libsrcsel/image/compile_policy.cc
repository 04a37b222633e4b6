#include "image/compile_policy.hh"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "image/compile_pools.hh"
#include "image/key.hh"

namespace srcsel {
namespace {

void SetSource(srcsel_policy &out, const IpAddress &address) {
  CopyWire(address, out.source[FamilyOf(address)]);
  out.has_source[FamilyOf(address)] = 1;
}

bool Lacks(const PolicyRule &rule, const Source &source) {
  return std::ranges::find(rule.lacks, source, &Lack::source) != rule.lacks.end();
}

void SetSources(const PolicyRule &rule, const State &state, srcsel_policy &out) {
  for (const Source &source : rule.sources) {
    out.action |= SRCSEL_DO_SOURCE;
    if (const auto *address = std::get_if<IpAddress>(&source)) {
      if (!Lacks(rule, source)) SetSource(out, *address);
      continue;
    }
    out.action |= SRCSEL_HOME_ONLY;
    for (int family : {AF_INET, AF_INET6})
      if (const auto address = AddressOf(state, std::get<DeviceSource>(source), family))
        SetSource(out, *address);
  }
}

// What the rule asks for beside its source.
__u16 ActionOf(const PolicyRule &rule) {
  unsigned action = 0;
  if (rule.mark) action |= rule.apply == Apply::kBind ? SRCSEL_DO_TABLES : SRCSEL_DO_MARK;
  if (rule.home_mark) action |= SRCSEL_HOME_MARK;
  if (rule.led_mark) action |= SRCSEL_LED_MARK;
  if (rule.plain_tos) action |= SRCSEL_PLAIN_TOS;
  if (rule.marked_later) action |= SRCSEL_MARKED_LATER;
  if (!rule.classids.empty()) action |= SRCSEL_CLASSED;
  if (rule.ports) action |= SRCSEL_DO_PORTS;
  if (rule.on_fail == OnFail::kReject) action |= SRCSEL_OR_REJECT;
  const bool anywhere = rule.to.empty() ? rule.sets.empty() : OnlyFamily(rule) != 0;
  if (!anywhere || !rule.dports.empty()) action |= SRCSEL_AIMED;
  return static_cast<__u16>(action);
}

srcsel_pick PickOf(Pick pick) {
  if (pick == Pick::kHash) return SRCSEL_PICK_HASH;
  return pick == Pick::kRandom ? SRCSEL_PICK_CHANCE : SRCSEL_PICK_TURN;
}

void SetPool(const Pool &pool, const State &state, srcsel_policy &out,
             std::vector<srcsel_slot> &slots) {
  out.action |= SRCSEL_DO_POOL | SRCSEL_HOME_ONLY;
  out.pick = PickOf(pool.pick);
  for (int family : {AF_INET, AF_INET6}) {
    const std::vector<srcsel_slot> some = CompilePool(pool, state, family);
    const srcsel_family f = family == AF_INET ? SRCSEL_V4 : SRCSEL_V6;
    out.pool[f] = static_cast<__u32>(slots.size());
    out.slots[f] = static_cast<__u32>(some.size());
    slots.insert(slots.end(), some.begin(), some.end());
  }
}

void NoteOwnMark(const srcsel_policy &rule, std::vector<srcsel_own_mark> &marks) {
  if (!(rule.action & SRCSEL_DO_MARK)) return;
  const bool known = std::ranges::any_of(marks, [&](const srcsel_own_mark &own) {
    return own.mark == rule.mark && own.mark_mask == rule.mark_mask;
  });
  if (!known) marks.push_back({rule.mark, rule.mark_mask});
}

absl::Status Check(const PolicyRule &rule) {
  if (rule.lookup && !rule.mark)
    return absl::FailedPreconditionError(
        absl::StrCat("no ip rule leads a mark to table ", *rule.lookup));
  const bool acts = rule.mark || !rule.sources.empty() || rule.pool || rule.ports;
  if (acts && rule.leave)
    return absl::InvalidArgumentError("what is left to the kernel gets nothing else");
  if (!acts && !rule.leave)
    return absl::InvalidArgumentError("a rule needs a mark, a source, a pool or ports");
  if (rule.pool && !rule.sources.empty())
    return absl::InvalidArgumentError("a source excludes a pool");
  if (rule.apply == Apply::kBind && (!rule.mark || !rule.sources.empty() || rule.pool))
    return absl::InvalidArgumentError(
        "binding the source of the tables takes a mark and excludes a source");
  if (rule.ports && (rule.ports->first == 0 || rule.ports->first > rule.ports->last))
    return absl::InvalidArgumentError("a range of ports goes from 1 or more upwards");
  for (const std::string &comm : rule.comms)
    if (comm.empty() || comm.size() >= SRCSEL_COMM)
      return absl::InvalidArgumentError(
          absl::StrCat("command name '", comm, "' has not 1 to ", SRCSEL_COMM - 1, " bytes"));
  return absl::OkStatus();
}

}  // namespace

std::optional<IpAddress> AddressOf(const State &state, const DeviceSource &device, int family) {
  const auto link = std::ranges::find(state.links, device.name, &Link::name);
  // What is sent with the address of a device that is down leaves by another one.
  if (link == state.links.end() || !(link->flags & IFF_UP)) return std::nullopt;
  std::optional<IpAddress> second_best;
  for (const InterfaceAddress &a : state.addresses) {
    if (a.ifindex != link->index || a.local.family() != family || a.scope != RT_SCOPE_UNIVERSE)
      continue;
    if (a.local.is_v4() && !(a.flags & IFA_F_SECONDARY)) return a.local;
    if (a.local.is_v4() || a.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) continue;
    if (!(a.flags & (IFA_F_DEPRECATED | IFA_F_TEMPORARY))) return a.local;
    if (!second_best) second_best = a.local;
  }
  return second_best;
}

absl::StatusOr<CompiledPolicy> CompilePolicy(const PolicyRows &policy, const State &state) {
  CompiledPolicy out;
  for (const auto &[rule, id, selectors] : policy.rows) {
    if (absl::Status status = Check(rule); !status.ok())
      return absl::Status(status.code(),
                          absl::StrCat("compile policy rule ", id, ": ", status.message()));
    srcsel_policy compiled{};
    compiled.id = id;
    compiled.action = ActionOf(rule);
    if (rule.mark) {
      compiled.mark = rule.mark->value;
      compiled.mark_mask = rule.mark->mask;
    }
    if (rule.ports) {
      compiled.port_first = rule.ports->first;
      compiled.port_last = rule.ports->last;
    }
    SetSources(rule, state, compiled);
    if (rule.pool) SetPool(*rule.pool, state, compiled, out.slots);
    NoteOwnMark(compiled, out.own_marks);
    out.rules.push_back(compiled);
  }
  return out;
}

}  // namespace srcsel
