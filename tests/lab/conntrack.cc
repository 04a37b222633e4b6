#include "lab/conntrack.hh"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

// The values of a key in a line, in order: the original direction's, then the reply's.
std::vector<absl::string_view> Values(absl::string_view line, absl::string_view key) {
  std::vector<absl::string_view> values;
  for (absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (pair.first == key) values.push_back(pair.second);
  }
  return values;
}

}  // namespace

absl::StatusOr<std::vector<ConntrackEntry>> ParseConntrack(absl::string_view listing) {
  std::vector<ConntrackEntry> entries;
  for (absl::string_view line : absl::StrSplit(listing, '\n', absl::SkipEmpty())) {
    const auto sources = Values(line, "src"), destinations = Values(line, "dst");
    const auto sports = Values(line, "sport"), dports = Values(line, "dport");
    if (sports.empty()) continue;
    if (sources.size() < 2 || destinations.size() < 2 || sports.size() < 2 || dports.size() < 2)
      return absl::InvalidArgumentError(absl::StrCat("read conntrack entry '", line, "'"));
    ConntrackEntry entry;
    entry.protocol = std::string(line.substr(0, line.find(' ')));
    SRCSEL_ASSIGN_OR_RETURN(entry.from, Endpoint::Parse(sources[0], sports[0]));
    SRCSEL_ASSIGN_OR_RETURN(entry.to, Endpoint::Parse(destinations[0], dports[0]));
    SRCSEL_ASSIGN_OR_RETURN(entry.reply_to, Endpoint::Parse(destinations[1], dports[1]));
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace srcsel::lab
