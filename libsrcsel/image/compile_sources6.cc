#include "image/compile_sources6.hh"

#include <linux/if_addr.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "engine/source6.h"
#include "image/key.hh"

namespace srcsel {
namespace {

constexpr int kPreferTemporary = 2;  // of use_tempaddr

srcsel_label CompiledLabel(const AddressLabel &label) {
  return {.match = MatchOf(label.prefix),
          .oif = label.ifindex,
          .oif_mask = label.ifindex == 0 ? 0 : 0xffffffff,
          .label = label.label,
          .zero = {}};
}

bool IsCandidate(const InterfaceAddress &address) {
  const bool tentative = address.flags & IFA_F_TENTATIVE && !(address.flags & IFA_F_OPTIMISTIC);
  return !address.local.is_v4() && !address.local.IsUnspecified() && !address.local.IsMulticast() &&
         !tentative;
}

// ipv6_saddr_preferred(): IPv4-mapped, IPv4-compatible and loopback addresses do not age.
bool IsAgeless(const srcsel_key &key) {
  return key.hi == 0 && (key.lo >> 32 == 0 || key.lo >> 32 == 0xffff);
}

class Sources6Compiler {
 public:
  explicit Sources6Compiler(const State &state) : state_(state) {
    for (const Link &link : state.links) links_[link.index] = &link;
    for (const InterfaceAddress &address : state.addresses)
      if (IsCandidate(address)) candidates_[address.ifindex].push_back(&address);
    for (const AddressLabel &label : state.labels) out_.labels.push_back(CompiledLabel(label));
  }

  CompiledSources6 Run() {
    for (const std::uint32_t index : state_.device_order) AddInterface(index, 0);
    for (const InterfaceAddress &address : state_.addresses)
      AddInterface(address.ifindex, SRCSEL_ADDRESS_UNORDERED);
    for (const Link &link : state_.links) AddMarker(link);
    return std::move(out_);
  }

 private:
  void AddInterface(std::uint32_t index, int flags) {
    const auto candidates = candidates_.extract(index);
    const Link &link = LinkOf(index);
    if (candidates.empty() || InVrf(link)) return;
    if (link.use_oif_addrs_only) flags |= SRCSEL_ADDRESS_ONLY;
    for (const InterfaceAddress *address : candidates.mapped())
      out_.addresses.push_back(CompiledAddress(*address, link, flags));
  }

  // For an interface without an address to give, where the engine has to know that it has none.
  void AddMarker(const Link &link) {
    srcsel_address marker{};
    marker.oif = link.index;
    marker.flags = SRCSEL_ADDRESS_ONLY;
    if (InVrf(link)) {
      marker.flags |= SRCSEL_ADDRESS_OPAQUE;
    } else if (!link.use_oif_addrs_only || HasAddress(link.index)) {
      return;
    }
    out_.addresses.push_back(marker);
  }

  bool HasAddress(std::uint32_t index) const {
    return std::ranges::find(out_.addresses, index, &srcsel_address::oif) != out_.addresses.end();
  }

  bool InVrf(const Link &link) const { return link.vrf || LinkOf(link.master).vrf; }

  const Link &LinkOf(std::uint32_t index) const {
    static const Link kUnknown;
    const auto link = links_.find(index);
    return link == links_.end() ? kUnknown : *link->second;
  }

  srcsel_address CompiledAddress(const InterfaceAddress &from, const Link &link, int flags) const {
    srcsel_address address{};
    address.key = KeyOf(from.local);
    address.oif = from.ifindex;
    address.label = LabelOf(address.key, from.ifindex);
    address.plen = static_cast<__u8>(from.subnet.length);
    address.scope = static_cast<__u8>(srcsel_scope6(&address.key));
    address.flags = static_cast<__u16>(flags);
    address.score = SRCSEL_SCORE_CANDIDATE;
    const bool temporary = from.flags & IFA_F_TEMPORARY;
    if (temporary) address.flags |= SRCSEL_ADDRESS_TEMPORARY;
    if (temporary == (link.use_tempaddr >= kPreferTemporary)) address.score |= SRCSEL_SCORE_PRIVACY;
    if (IsAgeless(address.key) || !IsAvoided(from, link)) address.score |= SRCSEL_SCORE_PREFERRED;
    if (state_.settings.mobility6 && from.flags & IFA_F_HOMEADDRESS)
      address.score |= SRCSEL_SCORE_HOME;
    if (srcsel_is_orchid(&address.key)) address.score |= SRCSEL_SCORE_ORCHID;
    if (!(from.flags & IFA_F_OPTIMISTIC)) address.score |= SRCSEL_SCORE_NOT_OPTIMISTIC;
    return address;
  }

  bool IsAvoided(const InterfaceAddress &address, const Link &link) const {
    const Settings &all = state_.settings;
    const bool optimistic_is_good = (all.optimistic_dad_all || link.optimistic_dad) &&
                                    (all.use_optimistic_all || link.use_optimistic);
    return address.flags & (IFA_F_DEPRECATED | (optimistic_is_good ? 0 : IFA_F_OPTIMISTIC));
  }

  std::uint32_t LabelOf(const srcsel_key &key, std::uint32_t ifindex) const {
    const auto label = std::ranges::find_if(out_.labels, [&](const srcsel_label &l) {
      return srcsel_label_misses(&l, &key, ifindex) == 0;
    });
    return label == out_.labels.end() ? SRCSEL_NONE : label->label;
  }

  const State &state_;
  absl::flat_hash_map<std::uint32_t, const Link *> links_;
  absl::flat_hash_map<std::uint32_t, std::vector<const InterfaceAddress *>> candidates_;
  CompiledSources6 out_;
};

}  // namespace

CompiledSources6 CompileSources6(const State &state) {
  return Sources6Compiler(state).Run();
}

}  // namespace srcsel
