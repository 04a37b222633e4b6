// What a terminal gets and a pipe does not: colour in what is printed, and a line that says how far
// long work is.
//
// Colour: only if stdout is a terminal, and NO_COLOR (no-color.org) empty or not set. Progress: one
// line of stderr that changes, only if stderr is a terminal; it is gone when the work is done, so
// it must not outlive what is to be printed after it. Not thread-safe.

#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace srcsel {

enum class Colour { kNone = 0, kBold = 1, kRed = 31, kGreen = 32, kYellow = 33 };

inline bool WantsColour() {
  static const bool wanted = [] {
    const char *refused = std::getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) != 0 && (refused == nullptr || *refused == '\0');
  }();
  return wanted;
}

// What turns it on; of kNone, what turns all off.
inline std::string CodeOf(Colour colour) {
  return absl::StrCat("\033[", static_cast<int>(colour), "m");
}

// The text as stdout is to have it.
inline std::string Coloured(Colour colour, absl::string_view text) {
  if (!WantsColour() || colour == Colour::kNone) return std::string(text);
  return absl::StrCat(CodeOf(colour), text, CodeOf(Colour::kNone));
}

// How long the code is that the text begins with, if stdout is to have it; 0: it begins with none.
inline std::size_t ColourAt(absl::string_view text) {
  if (!WantsColour()) return 0;
  for (const Colour colour :
       {Colour::kNone, Colour::kBold, Colour::kRed, Colour::kGreen, Colour::kYellow})
    if (const std::string code = CodeOf(colour); text.substr(0, code.size()) == code)
      return code.size();
  return 0;
}

class ProgressLine {
 public:
  ProgressLine() : shown_(isatty(STDERR_FILENO) != 0) {}
  explicit ProgressLine(absl::string_view doing) : ProgressLine() { Show(doing); }
  ~ProgressLine() { Clear(); }
  ProgressLine(const ProgressLine &) = delete;
  ProgressLine &operator=(const ProgressLine &) = delete;

  // In the place of what it showed before.
  template <typename... Parts>
  void Show(const Parts &...doing) {
    if (!shown_) return;
    std::fprintf(stderr, "\r\033[K%s ...", absl::StrCat(doing...).c_str());
    is_clear_ = false;
  }
  void Clear() {
    if (!is_clear_) std::fputs("\r\033[K", stderr);
    is_clear_ = true;
  }

 private:
  const bool shown_;
  bool is_clear_ = true;
};

}  // namespace srcsel
