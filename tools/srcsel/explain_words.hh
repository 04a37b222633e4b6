// The words of `srcsel explain`: those of `ip route get` (route_words.hh), and besides what a
// policy asks of the caller. Left out, its cgroup and class are those of this process, and its
// command is none that a policy knows.
//
// It is a connect() that is explained: the protocol is TCP if none is said, and an IPv4-mapped
// address, ::ffff:a.b.c.d, is one of IPv4. Errors as there.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/policy_in_force.hh"
#include "route_words.hh"
#include <srcsel/flow.hh>

namespace srcsel {

struct ExplainWords {
  Flow flow;
  Caller caller;
  bool mapped = false;  // it was said by an IPv4-mapped address
};

// Of both kinds, in the order in which help tells them.
std::vector<WordHelp> AllExplainWords();

absl::StatusOr<ExplainWords> ExplainWordsOf(const std::vector<std::string> &words);

}  // namespace srcsel
