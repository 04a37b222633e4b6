// What is to be said about a policy: where, how grave, about which key.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace srcsel {

enum class Severity {
  kNote,     // what was found out for the policy, and did not have to be said in it
  kWarning,  // it works, though hardly as it was meant
  kError,    // it cannot be used
};

// "note", "warning", "error".
absl::string_view SeverityWord(Severity severity);

// A line of a file. Without a file: what was said on the command line.
struct Place {
  std::string file;
  std::uint32_t line = 0;  // 0: the file as a whole

  // "srcsel.toml:12", "srcsel.toml", "".
  std::string ToString() const;
  // The place that ToString() wrote.
  static Place Parse(absl::string_view text);

  friend bool operator==(const Place &, const Place &) = default;
};

struct Finding {
  Severity severity = Severity::kError;
  Place place;
  std::string key;  // "rule.dport", "set.unicom.file"; empty: none
  std::string message;

  // "srcsel.toml:12: error: rule.dport: '70000' is not ..."; of the command line, "--source: ..."
  std::string ToString() const;

  friend bool operator==(const Finding &, const Finding &) = default;
};

using Findings = std::vector<Finding>;

bool HasErrors(const Findings &findings);

// Those of `files` come first, in that order and by line, then all others as they are.
void SortByPlace(Findings &findings, const std::vector<std::string> &files);

}  // namespace srcsel
