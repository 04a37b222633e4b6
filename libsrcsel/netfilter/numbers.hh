// Sets of numbers and addresses, as netfilter's matches have them: put in order, and intersected.
//
// Pure. Cost: linear in both sets; Normalized() sorts.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "netfilter/rule_set.hh"

namespace srcsel {

// Sorted, without overlaps, and without neighbours that touch.
NfNumbers Normalized(NfNumbers numbers);
NfNumbers Intersection(const NfNumbers &a, const NfNumbers &b);
NfNumbers Complement(const NfNumbers &numbers, std::uint32_t last);
bool Contains(const NfNumbers &numbers, std::uint32_t number);
// Whether `wide` has all of `narrow`.
bool Covers(const NfNumbers &wide, const NfNumbers &narrow);

// Value and mask pairs that together are the numbers: of 2-5, 2/~1 and 4/~1.
std::vector<Mark> MarksOf(const NfNumbers &numbers);

// The last address of a prefix; those after and before one, of which the last and the first are
// neighbours.
IpAddress LastOf(const Prefix &prefix);
IpAddress NextOf(const IpAddress &address);
IpAddress PreviousOf(const IpAddress &address);

// Addresses of one family from first to last, both included, as prefixes.
std::vector<Prefix> PrefixesOf(const IpAddress &first, const IpAddress &last);
// Sorted, and without prefixes that another one contains.
NfPrefixes MakePrefixes(std::string name, std::vector<Prefix> prefixes);
// All addresses of the family.
NfPrefixes AllOf(int family);
// `a` itself if all of it is in `b`, and the other way round.
NfPrefixes Intersection(const NfPrefixes &a, const NfPrefixes &b);
bool Contains(const PrefixSet &set, const IpAddress &address);
bool Covers(const PrefixSet &wide, const PrefixSet &narrow);

}  // namespace srcsel
