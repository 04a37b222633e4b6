// What a process calls itself does nothing to a terminal.

#include "base/printable.hh"

#include "gtest/gtest.h"

namespace srcsel {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const char *text : {"", "nginx", "a b\\n", "caf\xc3\xa9", "\xc2\xa0", "\xe6\x97\xa5"})
    EXPECT_EQ(Printable(text), text);
}

TEST(Printable, ShowsControlCharacters) {
  EXPECT_EQ(Printable("\x1b[31mred\n"), "\\x1b[31mred\\x0a");
  EXPECT_EQ(Printable(absl::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(Printable("\xc2"), "\xc2");
}

// No terminal watches a test: there are no colours of ours.
TEST(PrintableLines, LeavesTheEndsOfLines) {
  EXPECT_EQ(PrintableLines("a\nb\n"), "a\nb\n");
  EXPECT_EQ(PrintableLines("a\x1b[31mb\n\x1b"), "a\\x1b[31mb\n\\x1b");
  EXPECT_EQ(PrintableLines("\r\n\n"), "\\x0d\n\n");
  EXPECT_EQ(PrintableLines(""), "");
}

}  // namespace
}  // namespace srcsel
