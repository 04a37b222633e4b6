// What the verbs that change something tell, in one way: findings about a policy for stdout, as
// `srcsel check` prints them; anything else in a line on stderr.

#pragma once

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/printable.hh"
#include "policy/finding.hh"

namespace srcsel {

inline constexpr int kExitFailed = 1, kExitWrongWords = 2;
// Of a verb that tells by 0 or 1 what it found.
inline constexpr int kExitCannotTell = 2;

inline void Say(absl::string_view line) {
  std::cerr << "srcsel: " << PrintableLines(line) << '\n';
}

[[noreturn]] inline void Fail(const absl::Status &status) {
  Say(status.message());
  std::exit(absl::IsInvalidArgument(status) ? kExitWrongWords : kExitFailed);
}

inline std::string FindingsToText(const Findings &findings, bool quiet) {
  std::string text;
  for (const Finding &finding : findings)
    if (!quiet || finding.severity != Severity::kNote)
      absl::StrAppend(&text, Printable(finding.ToString()), "\n");
  return text;
}

inline absl::Status WantRoot(absl::string_view why) {
  if (geteuid() == 0) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("run as root: ", why));
}
inline constexpr char kNotToBeSeen[] = "what is attached is root's alone to see";
inline constexpr char kNotToBeChanged[] = "what is up is root's alone to change";

// "2 rules", "2 processes"
inline std::string Counted(std::size_t count, absl::string_view what, absl::string_view many = "") {
  if (count == 1) return absl::StrCat("1 ", what);
  return many.empty() ? absl::StrCat(count, " ", what, "s") : absl::StrCat(count, " ", many);
}

}  // namespace srcsel
