// A statement of nft's JSON -> steps of a rule.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "netfilter/nft_values.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// Named sets and maps of one table. Their elements are made values once for each kind of key that
// looks into them.
class NftSets {
 public:
  // The JSON must outlive it.
  void Add(const NftJson &set);

  // Null if there is no such set, or something in it is not understood.
  std::shared_ptr<const NfBoxes> Boxes(const std::string &name, const std::vector<NfKey> &keys);
  std::shared_ptr<const std::vector<NfCase>> Cases(const std::string &name,
                                                   const std::vector<NfKey> &keys);

 private:
  std::map<std::string, const NftJson *> sets_;
  std::map<std::string, std::shared_ptr<const NfBoxes>> boxes_;
  std::map<std::string, std::shared_ptr<const std::vector<NfCase>>> cases_;
};

// What changes nothing adds no step.
void AddNftSteps(const NftJson &statement, NftSets &sets, std::vector<NfStep> &steps);

}  // namespace srcsel
