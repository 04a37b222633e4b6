#include "base/printable.hh"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/terminal.hh"

namespace srcsel {

std::string Printable(absl::string_view text) {
  std::string printable;
  bool c1 = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    const bool begins_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
    if (c1 || begins_c1 || absl::ascii_iscntrl(byte))
      absl::StrAppendFormat(&printable, "\\x%02x", byte);
    else
      printable += text[i];
    c1 = begins_c1;
  }
  return printable;
}

std::string PrintableLines(absl::string_view lines) {
  std::string printable;
  while (!lines.empty()) {
    const std::size_t plain = lines.find_first_of("\n\033");
    absl::StrAppend(&printable, Printable(lines.substr(0, plain)));
    if (plain == absl::string_view::npos) break;
    lines.remove_prefix(plain);
    const std::size_t own = lines[0] == '\n' ? 1 : ColourAt(lines);
    absl::StrAppend(&printable,
                    own != 0 ? std::string(lines.substr(0, own)) : Printable(lines.substr(0, 1)));
    lines.remove_prefix(std::max<std::size_t>(own, 1));
  }
  return printable;
}

}  // namespace srcsel
