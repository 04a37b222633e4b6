#include "image/compile_policy.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "image/key.hh"

namespace srcsel {
namespace {

void SetSource(srcsel_policy &out, const IpAddress &address) {
  CopyWire(address, out.source[FamilyOf(address)]);
  out.has_source[FamilyOf(address)] = 1;
}

void SetSources(const PolicyRule &rule, const State &state, srcsel_policy &out) {
  for (const Source &source : rule.sources) {
    out.action |= SRCSEL_DO_SOURCE;
    if (const auto *address = std::get_if<IpAddress>(&source)) {
      SetSource(out, *address);
      continue;
    }
    out.action |= SRCSEL_HOME_ONLY;
    for (int family : {AF_INET, AF_INET6})
      if (const auto address = AddressOf(state, std::get<DeviceSource>(source), family))
        SetSource(out, *address);
  }
}

absl::Status Check(const PolicyRule &rule) {
  if (!rule.mark && rule.sources.empty())
    return absl::InvalidArgumentError("a rule needs a mark or a source");
  if (rule.apply == Apply::kBind && (!rule.mark || !rule.sources.empty()))
    return absl::InvalidArgumentError(
        "binding the source of the tables takes a mark and excludes a source");
  for (const std::string &comm : rule.comms)
    if (comm.empty() || comm.size() >= SRCSEL_COMM)
      return absl::InvalidArgumentError(
          absl::StrCat("command name '", comm, "' has not 1 to ", SRCSEL_COMM - 1, " bytes"));
  return absl::OkStatus();
}

}  // namespace

std::optional<IpAddress> AddressOf(const State &state, const DeviceSource &device, int family) {
  const auto link = std::ranges::find(state.links, device.name, &Link::name);
  if (link == state.links.end()) return std::nullopt;
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

absl::StatusOr<std::vector<srcsel_policy>> CompilePolicy(const Policy &policy, const State &state) {
  if (policy.rules.size() > SRCSEL_MAX_POLICY)
    return absl::ResourceExhaustedError(absl::StrCat("compile policy: ", policy.rules.size(),
                                                     " rules, at most ", SRCSEL_MAX_POLICY,
                                                     " fit into an image"));
  std::vector<srcsel_policy> out;
  for (const PolicyRule &rule : policy.rules) {
    if (absl::Status status = Check(rule); !status.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("compile policy rule ", out.size(), ": ", status.message()));
    srcsel_policy compiled{};
    compiled.id = static_cast<__u32>(out.size());
    if (rule.mark) {
      compiled.action = rule.apply == Apply::kBind ? SRCSEL_DO_TABLES : SRCSEL_DO_MARK;
      compiled.mark = rule.mark->value;
      compiled.mark_mask = rule.mark->mask;
    }
    SetSources(rule, state, compiled);
    out.push_back(compiled);
  }
  return out;
}

}  // namespace srcsel
