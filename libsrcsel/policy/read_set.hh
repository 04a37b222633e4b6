// A [set.NAME] of the file: prefixes under a name, in the file itself or in one of their own.
//
// That file has one prefix a line; # starts a comment, blank lines are nothing. Of its mistakes the
// first 20 are told, each on its line, and the number of the rest. At most 64 MiB of it are read.
// Cost: 0.3 us a prefix; twice that if they are not sorted.

#pragma once

#include <memory>
#include <string>

#include "policy/finding.hh"
#include "policy/policy.hh"
#include "policy/toml.hh"

namespace srcsel {

// `file` is the policy's; the path of a set's file is relative to its folder. Null after an error.
std::shared_ptr<const PrefixSet> ReadSet(const TomlEntry &entry, const std::string &file,
                                         Findings &findings);

}  // namespace srcsel
