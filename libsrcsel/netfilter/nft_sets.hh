// Sets and maps of nft, named or within a rule.

#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "netfilter/nft_elements.hh"
#include "netfilter/nft_values.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

// Named sets and maps of one table. Their elements are made values once for each kind of key that
// looks into them; what nobody looks into is not read.
class NftSets {
 public:
  // Without a reader, elements are in the list itself.
  explicit NftSets(NftElements *elements = nullptr) : elements_(elements) {}

  // The JSON must outlive it.
  void Add(const NftJson &set);
  // There is a rule that adds to it whatever packets come by.
  void AddDynamic(const std::string &name) { dynamic_.insert(name); }

  // Null if there is no such set, or something in it is not understood.
  std::shared_ptr<const NfBoxes> Boxes(const std::string &name, const std::vector<NfKey> &keys);
  std::shared_ptr<const std::vector<NfCase>> Cases(const std::string &name,
                                                   const std::vector<NfKey> &keys);

  // Why sets could not be read.
  const std::vector<std::string> &unread() const { return unread_; }

 private:
  std::shared_ptr<const NfBoxes> BoxesOf(const NftJson &set, const std::string &name,
                                         const std::vector<NfKey> &keys);
  std::shared_ptr<const std::vector<NfCase>> CasesOf(const NftJson &map, const std::string &name,
                                                     const std::vector<NfKey> &keys);
  const NftElementMap *Elements(const NftJson &set);
  const NftJson *InList(const NftJson &set);

  NftElements *elements_;
  std::map<std::string, const NftJson *> sets_;
  std::set<std::string> dynamic_;
  std::map<std::string, std::shared_ptr<const NfBoxes>> boxes_;
  std::map<std::string, std::shared_ptr<const std::vector<NfCase>>> cases_;
  std::map<std::string, NftJson> listed_;  // by nft, one by one
  std::vector<std::string> unread_;
};

std::optional<NfVerdict> NftVerdictOf(const NftJson &json);

// Of a map's elements; those with the same data are one case. Null if one is not understood.
std::shared_ptr<const std::vector<NfCase>> NftCasesOf(const NftJson &elements,
                                                      const std::vector<NfKey> &keys,
                                                      const std::string &name);

}  // namespace srcsel
