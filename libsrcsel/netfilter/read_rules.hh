// All netfilter rules of the calling thread's network namespace that a packet of this host's own
// may pass: nft's, and those of iptables in both its variants.
//
// Contract: changes nothing. A table that iptables keeps in nft's place is read once, from
// iptables-save. What cannot be read is among the skipped, and, where there is something that it
// may say about marks, makes flows unknown; no iptables, or none of its tables, is nothing to be
// said. Not thread-safe. Cost: one or two runs of iptables-save for each family that has tables of
// iptables, 5 ms each, and that of nft_elements.hh for sets that are looked into. Renew() runs
// nothing: 5 us a rule, 0.1 us an element.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "netfilter/ip_sets.hh"
#include "netfilter/nft_elements.hh"
#include "netfilter/nft_values.hh"
#include "netfilter/rule_set.hh"

namespace srcsel {

class RuleReader {
 public:
  // Everything.
  NfRuleSet Read();
  // The same, where since then only elements of nft's sets have changed and elements() has heard.
  NfRuleSet Renew();

  // Whether something was not to be had: it may be the next time.
  bool failed() const;

  // Whether a set that rules look into may have changed and nobody announces it; then Renew().
  bool PollSets();

  // Null: sets are not followed, because they cannot be.
  NftElements *elements() { return elements_ ? &*elements_ : nullptr; }

 private:
  // What an iptables-save printed.
  struct Saved {
    NfOrigin origin;
    int family;
    std::string program;
    absl::StatusOr<std::string> text;
  };

  void ReadLegacy(int family);
  void ReadOfNft(int family);
  void CompleteNft();

  std::optional<NftElements> elements_;
  IpSets ip_sets_;
  absl::Status unread_nft_;
  NftJson nft_;
  std::vector<Saved> saved_;
  std::vector<std::string> skipped_;
};

NfRuleSet ReadRules();

}  // namespace srcsel
