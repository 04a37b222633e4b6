#include "base/mark.hh"

#include <gtest/gtest.h>

namespace srcsel {
namespace {

TEST(Mark, ReadsNumbersAsIproute2Does) {
  struct {
    const char *text;
    Mark mark;
  } const cases[] = {
      {"100", {100, 0xffffffff}},
      {"0x64", {100, 0xffffffff}},
      {"0X64", {100, 0xffffffff}},
      {"0144", {100, 0xffffffff}},
      {"0", {0, 0xffffffff}},
      {"0x64/0xff", {100, 0xff}},
      {"100/255", {100, 255}},
      {"0/0", {0, 0}},
      {"0/0xff", {0, 0xff}},
      {"4294967295", {0xffffffff, 0xffffffff}},
      {"0xffffffff", {0xffffffff, 0xffffffff}},
  };
  for (const auto &c : cases) {
    const absl::StatusOr<Mark> mark = Mark::Parse(c.text);
    ASSERT_TRUE(mark.ok()) << mark.status();
    EXPECT_EQ(*mark, c.mark) << c.text;
  }
}

TEST(Mark, RefusesWhatIsNoNumber) {
  for (const char *text : {"", "x", "0x", "08", "-1", "+1", " 1", "1 ", "1/", "/1", "1/2/3",
                           "4294967296", "0x100000000", "1.0", "1/x"})
    EXPECT_EQ(Mark::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_EQ(Mark::Parse("telecom").status().message(),
            "'telecom' is not a mark: V or V/M with numbers up to 0xffffffff, as in 100 or "
            "0x64/0xff");
}

TEST(Mark, RefusesBitsOutsideTheMask) {
  EXPECT_EQ(Mark::Parse("0x164/0xff").status().message(),
            "mark '0x164/0xff' has bits outside its mask: 0x164 & ~0xff is 0x100");
  EXPECT_FALSE(Mark::Parse("1/0").ok());
}

TEST(Mark, IsAppliedUnderItsMask) {
  EXPECT_EQ((Mark{0x64, 0xff}.AppliedTo(0xabcd12)), 0xabcd64u);
  EXPECT_EQ((Mark{0x64, 0xffffffff}.AppliedTo(0xabcd12)), 0x64u);
  EXPECT_EQ((Mark{0, 0xff}.AppliedTo(0xabcd12)), 0xabcd00u);
  EXPECT_EQ((Mark{0, 0}.AppliedTo(0xabcd12)), 0xabcd12u);
}

TEST(Mark, IsWrittenAsIproute2Does) {
  EXPECT_EQ((Mark{100, 0xffffffff}.ToString()), "0x64");
  EXPECT_EQ((Mark{100, 0xff}.ToString()), "0x64/0xff");
  EXPECT_EQ((Mark{0, 0}.ToString()), "0x0/0x0");
}

}  // namespace
}  // namespace srcsel
