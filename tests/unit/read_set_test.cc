// Sets of a policy: in the file itself, and in files of their own.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include <gmock/gmock.h>

#include "fixtures.hh"
#include "policy_folder.hh"

namespace srcsel {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class SetFileTest : public PolicyFolderTest {
 protected:
  // A policy beside the set's file, which it names so.
  std::string Policy(const std::string &file = "set.txt") const {
    Write("p", absl::StrCat("[set.a]\nfile = '", file, "'\n[[rule]]\nto = '@a'\nmark = 1\n"));
    return Path("p");
  }
  std::string FoundInSet(absl::string_view text) const {
    Write("set.txt", text);
    return Found(Policy());
  }
};

TEST_F(SetFileTest, HasAPrefixALine) {
  EXPECT_EQ(FoundInSet("# Unicom\n\n  10.2.0.0/16 # the second\r\n10.1.0.0/16\n\t\n10.1.0.0/16\n"
                       "fd00::/8\n192.0.2.1"),
            "");
  const PolicyFile file = ReadPolicy(Policy());
  EXPECT_THAT(
      file.policy.rules.at(0).sets.at(0)->prefixes,
      ElementsAre(Net("10.1.0.0/16"), Net("10.2.0.0/16"), Net("192.0.2.1/32"), Net("fd00::/8")));
}

TEST_F(SetFileTest, MistakesAreOnTheirOwnLines) {
  EXPECT_EQ(
      FoundInSet("10.0.0.0/8\nten\n\n10.0.0.1/8 # no\n1.2.3.4/\n"),
      "set.txt:2: error: set.a: 'ten' is not a prefix: 10.0.0.0/8, fd00::/8, or an address "
      "alone\n"
      "set.txt:4: error: set.a: '10.0.0.1/8' has host bits: write 10.0.0.0/8 or 10.0.0.1\n"
      "set.txt:5: error: set.a: '1.2.3.4/' has no prefix length from 0 to 32 after the slash");
}

TEST_F(SetFileTest, TheFirstTwentyMistakesAreTold) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "x\n";
  const std::string found = FoundInSet(text);
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 20);
  EXPECT_THAT(found, StartsWith("set.txt:1: error: set.a: 'x'"));
  EXPECT_THAT(found, HasSubstr("set.txt:20: error"));
  EXPECT_THAT(found, EndsWith("\nset.txt: error: set.a: and 980 more"));
  text.resize(40);
  EXPECT_THAT(FoundInSet(text), testing::Not(HasSubstr("more")));
}

TEST_F(SetFileTest, WithoutAPrefixIsAMistake) {
  EXPECT_EQ(FoundInSet("# nothing yet\n"),
            "p:2: error: set.a.file: set.txt has no prefix in it; one a line is accepted");
}

TEST_F(SetFileTest, ThatCannotBeReadIsAMistake) {
  EXPECT_EQ(Found(Policy("missing.txt")),
            "p:2: error: set.a.file: missing.txt cannot be read: No such file or directory");
  EXPECT_EQ(Found(Policy("/proc/self/mem")),
            "p:2: error: set.a.file: /proc/self/mem cannot be read: Input/output error");
  EXPECT_EQ(Found(Policy(folder_)),
            absl::StrCat("p:2: error: set.a.file: ", folder_, " is a directory, not a file"));
}

TEST_F(SetFileTest, ThatMayNotBeReadIsAMistake) {
  if (geteuid() != 0) GTEST_SKIP() << "becoming somebody else needs root";
  Write("set.txt", "10.0.0.0/8\n");
  const std::string policy = Policy();
  ASSERT_EQ(chmod(Path("set.txt").c_str(), 0600), 0);
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  ASSERT_EQ(seteuid(65534), 0);
  const std::string found = Found(policy);
  ASSERT_EQ(seteuid(0), 0);
  EXPECT_EQ(found, "p:2: error: set.a.file: set.txt cannot be read: Permission denied");
}

TEST_F(SetFileTest, OfTenGigabytesIsNotRead) {
  Write("set.txt", "");
  ASSERT_EQ(truncate(Path("set.txt").c_str(), 10'000'000'000), 0);
  EXPECT_EQ(Found(Policy()),
            "p:2: error: set.a.file: set.txt is larger than 64 MiB, the most that is read");
  EXPECT_EQ(Found(Policy("/dev/zero")),
            "p:2: error: set.a.file: /dev/zero is larger than 64 MiB, the most that is read");
}

TEST_F(SetFileTest, APolicyItselfIsReadWithALimit) {
  EXPECT_EQ(Found(Path("p")), "p: error: cannot be read: No such file or directory");
  EXPECT_EQ(Found(folder_), absl::StrCat(folder_, ": error: is a directory, not a file"));
  Write("p", "");
  ASSERT_EQ(truncate(Path("p").c_str(), 10'000'000'000), 0);
  EXPECT_EQ(Found(Path("p")), "p: error: is larger than 4 MiB, the most that is read");
}

TEST_F(SetFileTest, MayComeFromAPipe) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  ASSERT_EQ(write(ends[1], "10.0.0.0/8\n", 11), 11);
  close(ends[1]);
  EXPECT_EQ(Found(Policy(absl::StrCat("/proc/self/fd/", ends[0]))), "");
  close(ends[0]);
}

TEST_F(SetFileTest, WithANamedPipeNobodyWaits) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  constexpr char kWhy[] = "is a named pipe, which may never be written to: give a file";
  EXPECT_EQ(Found(Policy(Path("pipe"))), absl::StrCat("p:2: error: set.a.file: pipe ", kWhy));
  EXPECT_EQ(Found(Path("pipe")), absl::StrCat("pipe: error: ", kWhy));
}

TEST_F(SetFileTest, Of800000LinesIsReadInNoTime) {
  std::string text;
  for (std::uint32_t i = 0; i < 800'000; ++i) {
    // Scattered, so that they must be sorted.
    const std::uint32_t n = (i * 2654435761u) >> 8;
    absl::StrAppend(&text, n >> 16 & 255, ".", n >> 8 & 255, ".", n & 255, ".0/24\n");
  }
  Write("set.txt", text);
  const std::string policy = Policy();
  const auto start = std::chrono::steady_clock::now();
  const PolicyFile file = ReadPolicy(policy);
  const auto took = std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(file.findings.empty());
  EXPECT_GT(file.policy.rules.at(0).sets.at(0)->prefixes.size(), 700'000u);
  RecordProperty("milliseconds", static_cast<int>(took / std::chrono::milliseconds(1)));
  std::printf("800,000 lines: %d ms\n", static_cast<int>(took / std::chrono::milliseconds(1)));
#ifdef NDEBUG
  EXPECT_LT(took, std::chrono::seconds(3));
#endif
}

TEST(Set, SaysOneOfFileAndPrefixes) {
  const auto found = [](absl::string_view keys) {
    return FoundIn(absl::StrCat("[[rule]]\nto = '@a'\nmark = 1\n[set.a]\n", keys));
  };
  EXPECT_EQ(found(""), "p:4: error: set.a: has neither file nor prefixes; say one of them");
  EXPECT_EQ(found("file = '/dev/null'\nprefixes = ['10.0.0.0/8']"),
            "p:4: error: set.a: has both file and prefixes; say one of them\n"
            "p:5: error: set.a.file: /dev/null has no prefix in it; one a line is accepted");
  EXPECT_EQ(
      found("prefixes = '10.0.0.0/8'"),
      "p:5: error: set.a.prefixes: is a string ('10.0.0.0/8'); a list of strings is accepted");
  EXPECT_EQ(found("prefixes = []"),
            "p:5: error: set.a.prefixes: is an empty list; leave the key out, or say something");
  EXPECT_EQ(found("file = 5"), "p:5: error: set.a.file: is an integer (5); a string is accepted");
  EXPECT_EQ(found("flie = 'x'"), "p:5: error: set.a.flie: is no key here; 'file' is");
  EXPECT_EQ(FoundIn("[[rule]]\nto = '@a'\nmark = 1\n[set]\na = 'x'"),
            "p:5: error: set.a: is a string ('x'); a table with file = \"...\" or prefixes = [...] "
            "is accepted");
}

}  // namespace
}  // namespace srcsel
