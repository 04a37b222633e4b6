// The sets and pools of a policy, by name, and which of them its rules use.

#pragma once

#include <map>
#include <memory>
#include <string>

#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

template <typename T>
struct Definition {
  Place place;
  std::shared_ptr<const T> value;  // null if it is faulty, which has been said
  bool used = false;
};

struct Definitions {
  std::map<std::string, Definition<PrefixSet>, std::less<>> sets;
  std::map<std::string, Definition<Pool>, std::less<>> pools;
};

}  // namespace srcsel
