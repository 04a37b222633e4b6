// Keys and values of nft's JSON -> those of rule_set.hh.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "netfilter/rule_set.hh"

namespace srcsel {

using NftJson = nlohmann::json;

// What a key of nft's looks at: several properties if it is a concatenation, none if any part of it
// is not known here.
struct NftKey {
  std::vector<NfKey> keys;
  // What holds wherever the key can be looked at: `tcp dport` is only there in TCP, `ip daddr` only
  // in IPv4. Nft does not say it.
  std::vector<NfMatch> implied;
};

NftKey NftKeyOf(const NftJson &left);

// One element of a set, or the right side of a match, for keys of this kind: any of the boxes.
// Nothing if it is not understood.
std::optional<NfBoxes> NftBoxesOf(const std::vector<NfKey> &keys, const NftJson &value);

// Boxes that differ only in their first value become one: thousands of addresses with a port are
// one box.
NfBoxes Joined(NfBoxes boxes, const std::string &name);

// A match that a property is in the numbers.
NfMatch NumberMatch(NfField field, NfNumbers numbers, bool negated = false);

}  // namespace srcsel
