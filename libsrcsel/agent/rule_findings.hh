// What is to be said about one rule of a policy.

#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

class RuleFindings {
 public:
  // Both must outlive it.
  RuleFindings(const PolicyRule &rule, Findings &findings) : rule_(rule), findings_(findings) {}

  // `key` is the rule's: "source". On the command line it is an option.
  void Add(Severity severity, absl::string_view key, std::string message) {
    if (rule_.name == kCommandLine)
      findings_.push_back({severity, {}, absl::StrCat("--", key), std::move(message)});
    else
      findings_.push_back(
          {severity, Place::Parse(rule_.name), absl::StrCat("rule.", key), std::move(message)});
  }

 private:
  const PolicyRule &rule_;
  Findings &findings_;
};

}  // namespace srcsel
