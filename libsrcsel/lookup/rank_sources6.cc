#include "lookup/rank_sources6.hh"

#include <algorithm>

#include "engine/source6.h"
#include "image/key.hh"

namespace srcsel {
namespace {

IpAddress AddressOf(const srcsel_key &key) {
  __u8 wire[16];
  srcsel_write_address(wire, &key);
  return FromWire(SRCSEL_V6, wire);
}

struct Part {
  std::uint64_t first;  // lowest bit of its part of a score
  const char *words;
};

// By place, the highest first.
constexpr Part kParts[] = {
    {SRCSEL_SCORE_ONLY, "its interface takes no address of another one (use_oif_addrs_only)"},
    {SRCSEL_SCORE_SAME, "RFC 6724 rule 1, it is the destination itself"},
    {SRCSEL_SCORE_SCOPE, "RFC 6724 rule 2, the scope that fits the destination's"},
    {SRCSEL_SCORE_PREFERRED, "RFC 6724 rule 3, it is not deprecated"},
    {SRCSEL_SCORE_HOME, "RFC 6724 rule 4, home address or not"},
    {SRCSEL_SCORE_OIF, "RFC 6724 rule 5, it is on the interface that packets leave by"},
    {SRCSEL_SCORE_LABEL, "RFC 6724 rule 6, its label is the destination's (ip addrlabel)"},
    {SRCSEL_SCORE_PRIVACY, "RFC 6724 rule 7, temporary or not as is preferred"},
    {SRCSEL_SCORE_ORCHID, "an ORCHID goes with an ORCHID alone"},
    {SRCSEL_SCORE_PREFIX, "RFC 6724 rule 8, more leading bits in common with the destination"},
    {SRCSEL_SCORE_NOT_OPTIMISTIC, "it is not optimistic"},
};

}  // namespace

std::vector<RankedSource> RankSources6(const Snapshot &snapshot, const IpAddress &destination,
                                       std::uint32_t oif, std::uint32_t prefer) {
  const srcsel_header &head = snapshot.head();
  const srcsel_key dst = KeyOf(destination);
  srcsel_source_walk walk;
  srcsel_source_begin(&walk, snapshot.image(), &head, &dst, oif, prefer);
  std::vector<RankedSource> ranked;
  for (__u32 i = 0; i < head.addresses.count; ++i) {
    const auto *address = static_cast<const srcsel_address *>(
        srcsel_object(walk.image, head.addresses.page, i, sizeof(srcsel_address)));
    if (address == nullptr || !(address->score & SRCSEL_SCORE_CANDIDATE)) continue;
    const std::uint64_t score = srcsel_score6(&walk, address);
    if (score > 1) ranked.push_back({AddressOf(address->key), address->oif, score});
  }
  std::ranges::stable_sort(ranked, std::ranges::greater(), &RankedSource::score);
  return ranked;
}

const char *WhyBefore(const RankedSource &better, const RankedSource &other) {
  for (const Part &part : kParts)
    if (better.score / part.first != other.score / part.first) return part.words;
  return "as good as the next, and before it in the kernel's list";
}

}  // namespace srcsel
