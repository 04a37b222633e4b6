// The sets of ipset that rules of iptables look into.
//
// Contract: a set is read when it is asked for first, by `ipset save`, in the network namespace of
// the calling thread; the kernel announces no change, so Poll() reads those again. Not thread-safe.
// Cost: a run of ipset for each set, 3 ms and 1 us an element.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "netfilter/rule_set.hh"

namespace srcsel {

struct IpSet {
  // What an entry has parts for; a port has its protocol with it.
  enum class Part { kAddress, kPort };

  int family = 0;  // AF_INET, AF_INET6; 0: of a set of ports or of sets
  std::vector<Part> parts;
  NfBoxes boxes;                     // an address each, or a protocol and a port
  std::vector<std::string> members;  // other sets, of which one must hold
  bool is_list = false;
  std::string unknown;     // why it is not understood; empty: it is
  std::size_t digest = 0;  // of the entries, without what is counted or timed in them
};

// What `ipset save NAME` prints.
IpSet ParseIpSet(absl::string_view saved);

class IpSets {
 public:
  IpSets() = default;
  // Without programs: from what they would print, by name.
  explicit IpSets(std::map<std::string, std::string> saved) : saved_(std::move(saved)) {}

  const IpSet &Find(const std::string &name);
  // Whether any of those that were asked for is another one now.
  bool Poll();

 private:
  IpSet Read(const std::string &name) const;

  std::map<std::string, std::string> saved_;
  std::map<std::string, IpSet> known_;
};

// The match `--match-set NAME dst,src`: unknown if any of its sets is.
NfStep IpSetMatch(IpSets &sets, const std::string &name, const std::string &directions,
                  bool negated, int family, const std::string &words);

}  // namespace srcsel
