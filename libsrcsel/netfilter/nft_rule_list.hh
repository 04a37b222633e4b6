// The rules that the kernel has, beside what nft prints of them: nft leaves out a rule that it does
// not know how to print, without a word, and its JSON does not say the levels of cgroups.
//
// Cost: one dump, 1 us a rule. Not thread-safe.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "netfilter/nft_values.hh"

namespace srcsel {

// Of the families that a packet of IP can pass.
struct NftKernelRule {
  std::string family, table, chain;  // "inet", as in the JSON
  std::uint64_t handle = 0;
  std::vector<std::uint32_t> cgroup_levels;  // of each `socket cgroupv2`, in their order
};

// In the order of each chain.
absl::StatusOr<std::vector<NftKernelRule>> DumpNftRules();

// Puts what was not printed into nft's list, each at its place: as rules that do something unknown.
void AddUnprintedRules(const std::vector<NftKernelRule> &rules, NftJson &document);

}  // namespace srcsel
