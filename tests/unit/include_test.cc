// What a policy includes.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "policy_folder.hh"

namespace srcsel {
namespace {

using ::testing::ElementsAre;

class IncludeTest : public PolicyFolderTest {
 protected:
  void SetUp() override {
    PolicyFolderTest::SetUp();
    ASSERT_EQ(mkdir(Path("conf.d").c_str(), 0755), 0);
  }
  std::string Policy(absl::string_view text) const {
    Write("p", text);
    return Path("p");
  }
  std::string Found(absl::string_view text) const { return PolicyFolderTest::Found(Policy(text)); }
  std::vector<std::string> Rules(absl::string_view text) const {
    std::vector<std::string> names;
    for (const PolicyRule &rule : ReadPolicy(Policy(text)).policy.rules)
      names.push_back(rule.name.substr(folder_.size() + 1));
    return names;
  }

  static constexpr char kPattern[] = "include = 'conf.d/*.toml'\n";
  static constexpr char kRule[] = "[[rule]]\nipproto = 'tcp'\nmark = 1\n";
};

TEST_F(IncludeTest, ItsRulesComeBehindByTheOrderOfNames) {
  Write("conf.d/20-b.toml", "[[rule]]\ndport = 1\nmark = 1\n");
  Write("conf.d/10-a.toml", "\n[[rule]]\ndport = 2\nmark = 1\n[[rule]]\ndport = 3\nmark = 1\n");
  Write("conf.d/3.toml", "[[rule]]\ndport = 4\nmark = 1\n");
  for (const char *other : {"conf.d/10-a.toml~", "conf.d/.30.toml", "conf.d/README"})
    Write(other, "no policy");
  const std::string text = absl::StrCat(kPattern, "[[rule]]\ndport = 5\nmark = 1\n");
  EXPECT_EQ(Found(text), "");
  EXPECT_THAT(Rules(text), ElementsAre("p:2", "conf.d/10-a.toml:2", "conf.d/10-a.toml:5",
                                       "conf.d/20-b.toml:1", "conf.d/3.toml:1"));
  EXPECT_THAT(ReadPolicy(Path("p")).files,
              ElementsAre(Path("p"), Path("conf.d/10-a.toml"), Path("conf.d/20-b.toml"),
                          Path("conf.d/3.toml")));
}

TEST_F(IncludeTest, MayBeOneFileOrNone) {
  Write("more", kRule);
  EXPECT_THAT(Rules("include = 'more'"), ElementsAre("more:1"));
  EXPECT_THAT(Rules(absl::StrCat("include = '", Path("more"), "'")), ElementsAre("more:1"));
  EXPECT_EQ(Found(absl::StrCat(kPattern, kRule)), "");
  EXPECT_EQ(Found(absl::StrCat("include = 'no/*.toml'\n", kRule)), "");
  EXPECT_EQ(Found(kPattern), "p: warning: has no [[rule]]");
  Write("conf.d/empty.toml", "");
  EXPECT_EQ(Found(kPattern), "p: warning: has no [[rule]]");
}

TEST_F(IncludeTest, SetsAndPoolsAreShared) {
  Write("conf.d/a.toml", "[[rule]]\nto = ['@main', '@late']\nsource = 'pool main'\n");
  Write("conf.d/b.toml", "[set.late]\nfile = 'set.txt'\n");
  Write("conf.d/set.txt", "10.0.0.0/8\n");
  const std::string text = absl::StrCat(
      kPattern, "[set.main]\nprefixes = ['fd00::/8']\n[pool.main]\nmembers = ['kernel']\n");
  EXPECT_EQ(Found(text), "");
  EXPECT_EQ(ReadPolicy(Policy(text)).policy.rules.at(0).sets.size(), 2u);
}

TEST_F(IncludeTest, ANameIsDefinedOnce) {
  Write("conf.d/a.toml",
        "\n[set.wan]\nprefixes = ['10.0.0.0/8']\n[pool.wan]\nmembers = ['kernel']\n");
  Write("conf.d/b.toml", "[pool.wan]\nmembers = ['kernel']\n");
  EXPECT_EQ(Found(absl::StrCat(kPattern,
                               "[set.wan]\nprefixes = ['fd00::/8']\n[[rule]]\n"
                               "to = '@wan'\nsource = 'pool wan'\n")),
            "conf.d/a.toml:2: error: set.wan: is defined already, p:2\n"
            "conf.d/b.toml:1: error: pool.wan: is defined already, conf.d/a.toml:4");
}

TEST_F(IncludeTest, FindingsNameTheFileAndStandInOrder) {
  Write("conf.d/a.toml", "[set.unused]\nprefixes = ['10.0.0.0/8']\n[[rule]]\nmark = 'blue'\n");
  Write("conf.d/b.toml", "[[rule]]\nto = '@unsed'\nmark = 1\n");
  EXPECT_EQ(Found(absl::StrCat(kPattern, "\n\n\n\n[[rule]]\nmark = 'red'\n")),
            "p:7: error: rule.mark: 'red' is not a mark: V or V/M with numbers up to 0xffffffff, "
            "as in 100 or 0x64/0xff\n"
            "conf.d/a.toml:1: warning: set.unused: no rule uses it\n"
            "conf.d/a.toml:4: error: rule.mark: 'blue' is not a mark: V or V/M with numbers up to "
            "0xffffffff, as in 100 or 0x64/0xff\n"
            "conf.d/b.toml:2: error: rule.to: no [set.unsed] is defined; [set.unused] is");
}

TEST_F(IncludeTest, ARuleOfAnotherFileShadows) {
  Write("conf.d/a.toml", "\n[[rule]]\nipproto = 'tcp'\ndport = 443\nmark = 2\n");
  EXPECT_EQ(Found(absl::StrCat(kPattern, kRule)),
            "conf.d/a.toml:2: warning: rule: never holds: p:2 holds wherever it would");
}

// No rule is then looked at: the set that is missing may be in that file.
TEST_F(IncludeTest, WhatCannotBeReadIsAMistake) {
  Write("conf.d/a.toml", "[set");
  ASSERT_EQ(mkdir(Path("conf.d/b.toml").c_str(), 0755), 0);
  ASSERT_EQ(symlink("nowhere", Path("conf.d/c.toml").c_str()), 0);
  EXPECT_THAT(Found(absl::StrCat(kPattern, "[[rule]]\nto = '@x'\nmark = 1\n")),
              testing::MatchesRegex(
                  "p:1: error: include: conf.d/b.toml is a directory, not a file\n"
                  "p:1: error: include: conf.d/c.toml cannot be read: No such file or directory\n"
                  "conf.d/a.toml:1: error: is not TOML: [^\n]*"));
  EXPECT_EQ(Found("\ninclude = 'no.toml'"),
            "p:2: error: include: no.toml cannot be read: No such file or directory");
}

// What is read might never end, or wait for somebody to type.
TEST_F(IncludeTest, OnlyFilesAreIncluded) {
  ASSERT_EQ(mkfifo(Path("conf.d/a.toml").c_str(), 0600), 0);
  ASSERT_EQ(symlink("/dev/zero", Path("conf.d/b.toml").c_str()), 0);
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  ASSERT_EQ(symlink(ptsname(terminal), Path("conf.d/c.toml").c_str()), 0);
  std::string said;
  for (const char *name : {"a", "b", "c"})
    absl::StrAppend(&said, said.empty() ? "" : "\n", "p:1: error: include: conf.d/", name,
                    ".toml is a device, a pipe or a socket: give a file");
  EXPECT_EQ(Found(absl::StrCat(kPattern, kRule)), said);
  EXPECT_EQ(PolicyFolderTest::Found(Path("conf.d/c.toml")),
            "conf.d/c.toml: error: is a device that has nothing to say: give a file");
  close(terminal);
}

TEST_F(IncludeTest, AllFilesTogetherHaveOneLimit) {
  const std::string half = absl::StrCat("#", std::string(std::size_t{2} << 20, 'x'), "\n");
  Write("conf.d/a.toml", half);
  EXPECT_EQ(Found(absl::StrCat(kPattern, kRule)), "");
  for (const char *name : {"conf.d/b.toml", "conf.d/c.toml"}) Write(name, half);
  EXPECT_EQ(Found(absl::StrCat(kPattern, kRule)),
            "p:1: error: include: conf.d/b.toml makes the files of the policy larger than 4 MiB, "
            "the most that is read");
}

TEST_F(IncludeTest, MistakesInTheKeyItself) {
  EXPECT_EQ(Found("include = 5"),
            "p: warning: has no [[rule]]\n"
            "p:1: error: include: is an integer (5); a string is accepted");
  for (const char *nothing : {"", "conf.d/"})
    EXPECT_EQ(Found(absl::StrCat("include = '", nothing, "'\n", kRule)),
              "p:1: error: include: names no file");
}

TEST_F(IncludeTest, DoesNotNest) {
  Write("conf.d/a.toml", absl::StrCat("include = 'b'\n", kRule));
  EXPECT_EQ(Found(kPattern),
            "conf.d/a.toml:1: error: include: is in a file that is itself included");
  Write("q.toml", absl::StrCat("include = '*.toml'\n", kRule));
  EXPECT_EQ(PolicyFolderTest::Found(Path("q.toml")),
            "q.toml:1: error: include: *.toml names this file itself");
}

TEST_F(IncludeTest, WildcardsAreOfTheLastName) {
  EXPECT_EQ(Found(absl::StrCat("include = 'conf*/a.toml*'\n", kRule)),
            "p:1: error: include: conf*/ cannot be read: No such file or directory");
  EXPECT_EQ(Found(absl::StrCat("include = 'p/*.toml'\n", kRule)),
            "p:1: error: include: p/ cannot be read: Not a directory");
  EXPECT_EQ(Found(absl::StrCat(kRule, kPattern)),
            "p:4: error: rule.include: is no key here; it stands above the first table of the "
            "file");
}

}  // namespace
}  // namespace srcsel
