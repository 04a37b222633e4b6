// What nft's list leaves open about cgroups (`socket cgroupv2`): nft's JSON says no level, and
// prints a cgroup as a path below /sys/fs/cgroup, whatever hierarchy is mounted there, or as its id
// where it finds none. The kernel matches by id and level: a cgroup that was removed matches
// nothing more, and one made again in its place is another one.
//
// Cost: a question to the file system for each cgroup. Errors: what cannot be told stays open, and
// is not understood.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/nft_rule_list.hh"
#include "netfilter/nft_values.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// Writes into the rules of a list that nft has just printed the level of each key and, for paths,
// ids: what is printed is made true for later.
void SettleNftCgroups(const std::vector<NftKernelRule> &rules, NftJson &document);

// The cgroup that nft prints so, if it is on that level, else nothing; of one that is gone, no
// cgroups.
std::optional<NfCgroups> NftCgroupsOf(const std::string &word, std::uint32_t level);

}  // namespace srcsel
