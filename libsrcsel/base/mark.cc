#include "base/mark.hh"

#include <cctype>
#include <charconv>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace srcsel {
namespace {

std::optional<std::uint32_t> ParseNumber(absl::string_view text) {
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  std::uint32_t number = 0;
  const char *end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number, base);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

absl::StatusOr<Mark> Mark::Parse(absl::string_view text) {
  const std::size_t slash = text.find('/');
  const auto value = ParseNumber(text.substr(0, slash));
  const auto mask =
      slash == absl::string_view::npos ? 0xffffffff : ParseNumber(text.substr(slash + 1));
  if (!value || !mask)
    return absl::InvalidArgumentError(absl::StrCat(
        "'", text,
        "' is not a mark: V or V/M with numbers up to 0xffffffff, as in 100 or 0x64/0xff"));
  if (*value & ~*mask)
    return absl::InvalidArgumentError(
        absl::StrFormat("mark '%s' has bits outside its mask: 0x%x & ~0x%x is 0x%x", text, *value,
                        *mask, *value & ~*mask));
  return Mark{*value, *mask};
}

std::string Mark::ToString() const {
  return mask == 0xffffffff ? absl::StrFormat("0x%x", value)
                            : absl::StrFormat("0x%x/0x%x", value, mask);
}

}  // namespace srcsel
