// What decided the flows of many hosts, counted; so that it can be seen that nothing went untried.

#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

#include "differential/hosts/compare.hh"
#include "state/state.hh"
#include <srcsel/selection.hh>

namespace srcsel {

class Tally {
 public:
  // Counts the terms of the rule and of the route that decided.
  void Count(const State &state, const Comparison &comparison, bool hidden);
  // Counts a flow whose outcome is another without that object, which otherwise leaves no trace:
  // rules that hand on to others, throw routes.
  void CountWithout(const std::string &term) { ++decided_[term]; }
  void CountHost(std::size_t commands, std::size_t refused, bool hidden);
  void Add(const Tally &other);

  std::uint64_t flows() const { return flows_[0] + flows_[1]; }
  // Flows decided by this, 0 if none.
  std::uint64_t DecidedBy(const std::string &term) const;
  // Of the hosts that were not made to hide anything.
  double AmbiguousShare() const;
  // Answers that leave open what else is possible.
  std::uint64_t incomplete() const { return incomplete_; }
  void Print(std::ostream &out) const;

 private:
  std::map<std::string, std::uint64_t> decided_, ambiguous_[2];  // [1] of hosts made to hide much
  std::uint64_t hosts_[2] = {}, flows_[2] = {}, ways_[2] = {};
  std::uint64_t commands_ = 0, refused_ = 0, incomplete_ = 0;
};

}  // namespace srcsel
