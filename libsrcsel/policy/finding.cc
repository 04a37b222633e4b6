#include "policy/finding.hh"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace srcsel {

absl::string_view SeverityWord(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      break;
  }
  return "error";
}

std::string Place::ToString() const {
  return line == 0 ? file : absl::StrCat(file, ":", line);
}

Place Place::Parse(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::uint32_t line = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &line))
    return {std::string(text), 0};
  return {std::string(text.substr(0, colon)), line};
}

std::string Finding::ToString() const {
  std::string text = place.ToString();
  if (!text.empty()) text += ": ";
  if (!text.empty() || severity != Severity::kError)
    absl::StrAppend(&text, SeverityWord(severity), ": ");
  if (!key.empty()) absl::StrAppend(&text, key, ": ");
  return text + message;
}

bool HasErrors(const Findings &findings) {
  return std::ranges::any_of(
      findings, [](const Finding &finding) { return finding.severity == Severity::kError; });
}

void SortByPlace(Findings &findings, const std::vector<std::string> &files) {
  std::ranges::stable_sort(findings, {}, [&](const Finding &finding) {
    const std::ptrdiff_t file = std::ranges::find(files, finding.place.file) - files.begin();
    return std::pair(file, file < std::ssize(files) ? finding.place.line : 0);
  });
}

}  // namespace srcsel
