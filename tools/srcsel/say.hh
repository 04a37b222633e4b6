// What the verbs that change something tell, in one way: findings about a policy on stdout, as
// `srcsel check` prints them; anything else in a line on stderr.

#pragma once

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "policy/finding.hh"

namespace srcsel {

inline constexpr int kExitFailed = 1, kExitWrongWords = 2;
// Of a verb that tells by 0 or 1 what it found.
inline constexpr int kExitCannotTell = 2;

inline void Say(absl::string_view line) {
  std::cerr << "srcsel: " << line << '\n';
}

[[noreturn]] inline void Fail(const absl::Status &status) {
  Say(status.message());
  std::exit(absl::IsInvalidArgument(status) ? kExitWrongWords : kExitFailed);
}

inline void PrintFindings(const Findings &findings, bool quiet) {
  for (const Finding &finding : findings)
    if (!quiet || finding.severity != Severity::kNote) std::cout << finding.ToString() << '\n';
  std::cout.flush();
}

// "2 rules"
inline std::string Counted(std::size_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

}  // namespace srcsel
