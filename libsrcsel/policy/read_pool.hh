// A [pool.NAME] of the file: the sources a rule may take in turn.

#pragma once

#include <memory>
#include <string>

#include "policy/finding.hh"
#include "policy/policy.hh"
#include "policy/toml.hh"

namespace srcsel {

// A member is "10.1.0.2", "dev eth1", "kernel", or a table { source = ..., weight = N }. Null after
// an error.
std::shared_ptr<const Pool> ReadPool(const TomlEntry &entry, const std::string &file,
                                     Findings &findings);

}  // namespace srcsel
