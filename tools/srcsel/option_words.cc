#include "option_words.hh"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace srcsel {

CLI::Validator OneOf(const std::vector<std::string> &words) {
  const auto check = [words](const std::string &said) -> std::string {
    if (std::ranges::find(words, said) != words.end()) return "";
    return absl::StrCat("'", said, "' is none of ", absl::StrJoin(words, ", "));
  };
  return {check, absl::StrCat("{", absl::StrJoin(words, ","), "}")};
}

CLI::Validator NumberFrom(std::uint64_t first, std::uint64_t last) {
  const auto check = [first, last](const std::string &said) -> std::string {
    std::uint64_t number = 0;
    if (absl::SimpleAtoi(said, &number) && number >= first && number <= last) return "";
    return absl::StrCat("'", said, "' is no number from ", first, " to ", last);
  };
  return {check, ""};
}

}  // namespace srcsel
