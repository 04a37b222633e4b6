// What is to be done about each class of flows that explore.hh finds.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/condition.hh"
#include "netfilter/first_ways.hh"
#include "netfilter/output_chains.hh"
#include "policy/policy.hh"

namespace srcsel {

struct MarkedClass {
  Condition flows;
  std::string name;          // the rule that decides, or that is not understood, and why
  bool known = true;         // false: left to the kernel because something is not known
  std::optional<Mark> mark;  // to route by; without one, left to the kernel
  Apply apply = Apply::kMark;
  // The firewall's rule because of which it holds for packets of tos 0 only, if there is one.
  std::string by_tos = {};

  bool DoesLike(const MarkedClass &other) const {
    return mark == other.mark && (!mark || apply == other.apply) && known == other.known &&
           by_tos == other.by_tos && (known || name == other.name);
  }
};

// In order, the first holds; what is in none is left to the kernel. `ways` may be null: then what
// hangs on them is unknown.
std::vector<MarkedClass> MarkClasses(const std::vector<NfOutputChain> &chains,
                                     const Condition &flows, FirstWays *ways, std::size_t &budget);

}  // namespace srcsel
