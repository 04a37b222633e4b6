// Policies for tests, as text.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "policy/read_policy.hh"

namespace srcsel {

// What was found, a line each.
inline std::string FoundIn(const PolicyFile &file) {
  return absl::StrJoin(file.findings, "\n", [](std::string *out, const Finding &finding) {
    *out += finding.ToString();
  });
}

// What is found in the text; the file is called "p".
inline std::string FoundIn(absl::string_view text) {
  return FoundIn(ReadPolicyText(text, "p"));
}

// The only rule of a policy in which nothing is found.
inline PolicyRule OnlyRule(absl::string_view text) {
  const PolicyFile file = ReadPolicyText(text, "p");
  EXPECT_EQ(FoundIn(text), "");
  EXPECT_EQ(file.policy.rules.size(), 1u);
  return file.policy.rules.empty() ? PolicyRule() : file.policy.rules.front();
}

// A rule that marks, with this key besides.
inline PolicyRule RuleWith(absl::string_view key) {
  return OnlyRule(absl::StrCat("[[rule]]\nmark = 1\n", key));
}

// What is found in that key, which is on line 3.
inline std::string FoundWith(absl::string_view key) {
  return FoundIn(absl::StrCat("[[rule]]\nmark = 1\n", key));
}

}  // namespace srcsel
