// A [[rule]] of the file.

#pragma once

#include <string>

#include "policy/definitions.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"
#include "policy/toml.hh"

namespace srcsel {

// The rule's name is its place, "srcsel.toml:12". Marks what it uses in `definitions`. After an
// error it lacks something.
PolicyRule ReadRule(const TomlValue &value, const std::string &file, Definitions &definitions,
                    Findings &findings);

}  // namespace srcsel
