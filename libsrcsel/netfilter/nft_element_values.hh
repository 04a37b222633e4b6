// Elements of nft's sets and maps, as the kernel has them -> values of rule_set.hh.
//
// Pure. Cost: 0.1 us an element.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/nft_elements.hh"
#include "netfilter/nft_values.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// What the bytes of a key are.
enum class NftType { kIpv4, kIpv6, kProtocol, kPort, kMark };

// How a set's elements are to be read.
struct NftShape {
  std::vector<NftType> types;  // several of a concatenation
  bool intervals = false;
  bool marks = false;  // a map to marks; else, if it is a map, to verdicts
};

// Of a set or map as nft lists it; nothing if its elements are to be left to nft: of some types the
// bytes depend on how the set was made.
std::optional<NftShape> NftShapeOf(const NftJson &set);

// Nothing if one of the elements is not understood; none of them may be odd.
std::optional<NfBoxes> BoxesOf(const NftElementMap &elements, const NftShape &shape,
                               const std::string &name);
std::optional<std::vector<NfCase>> CasesOf(const NftElementMap &elements, const NftShape &shape,
                                           const std::string &name);

}  // namespace srcsel
