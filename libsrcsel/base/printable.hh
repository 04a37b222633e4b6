// Text that others chose, for a terminal.

#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace srcsel {

// The text with each control character, of ASCII and C1, as \x1b: a process may call itself
// anything. What is UTF-8 stays.
std::string Printable(absl::string_view text);

// The same of lines as a whole: their ends stay, and the colours that terminal.hh gives them.
std::string PrintableLines(absl::string_view lines);

}  // namespace srcsel
