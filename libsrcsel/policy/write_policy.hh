// Policy -> the text of a policy file that means the same (read_policy.hh).
//
// Each rule stands under its name, as a comment. Sets and pools are written once, whichever rules
// use them; those without a name get one. What a file cannot say is not written: that a mark was
// found in ip rules (home_mark), and ids of cgroups.
//
// Pure. Cost: linear in the text.

#pragma once

#include <string>

#include "policy/policy.hh"

namespace srcsel {

std::string WritePolicy(const Policy &policy);

}  // namespace srcsel
