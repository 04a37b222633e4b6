// One socket, connected more than once: nothing of an earlier connect makes a later one fail.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;

class RunRedialTest : public RunTest, public testing::WithParamInterface<Words> {
 protected:
  void SetUp() override { ASSERT_TRUE(RouteBySource(lab_).ok()); }

  // The source of each connect, or why it failed.
  Words Redial(const Words &arguments) {
    Words words{REDIAL};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Result redial = Run(GetParam(), words);
    EXPECT_TRUE(redial.ok()) << redial.ToString();
    Words sources = absl::StrSplit(redial.out, '\n', absl::SkipEmpty());
    for (std::string &line : sources) line = SourceIn(line);
    return sources;
  }
};

INSTANTIATE_TEST_SUITE_P(, RunRedialTest,
                         testing::Values(Words{"--mark", "100"},
                                         Words{"--mark", "100", "--apply", "bind"},
                                         Words{"--source", "10.1.0.1,fd00:1::1"}),
                         [](const auto &options) {
                           return options.param.size() == 4      ? "ApplyBind"
                                  : options.param[0] == "--mark" ? "Mark"
                                                                 : "Source";
                         });

TEST_P(RunRedialTest, UdpToAnotherDestination) {
  EXPECT_THAT(Redial({"-u", kServer4, "53", kOtherServer4, "53"}),
              ElementsAre(kUnicomSource4, kUnicomSource4));
  EXPECT_THAT(Redial({"-u", kServer6, "53", kOtherServer6, "53"}),
              ElementsAre(kUnicomSource6, kUnicomSource6));
}

// As a resolver does that sorts addresses.
TEST_P(RunRedialTest, UdpDissolvedInBetween) {
  EXPECT_THAT(Redial({"-u", "-d", kServer4, "53", kOtherServer4, "53"}),
              ElementsAre(kUnicomSource4, kUnicomSource4));
  EXPECT_THAT(Redial({"-u", "-d", kServer6, "53", kOtherServer6, "53"}),
              ElementsAre(kUnicomSource6, kUnicomSource6));
}

TEST_P(RunRedialTest, UdpToThisHostAndBack) {
  EXPECT_THAT(Redial({"-u", "-d", "127.0.0.1", "53", kServer4, "53"}),
              ElementsAre("127.0.0.1", kUnicomSource4));
  EXPECT_THAT(Redial({"-u", "-d", "::1", "53", kServer6, "53"}),
              ElementsAre("::1", kUnicomSource6));
}

// What a hook has bound or marked is taken back.
TEST_P(RunRedialTest, UdpFromTheServerToThisHost) {
  EXPECT_THAT(Redial({"-u", "-d", kServer4, "53", kTelecomSource4, "53"}),
              ElementsAre(kUnicomSource4, kTelecomSource4));
  EXPECT_THAT(Redial({"-u", "-d", kServer6, "53", kTelecomSource6, "53"}),
              ElementsAre(kUnicomSource6, kTelecomSource6));
}

TEST_P(RunRedialTest, TcpAfterARefusal) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  EXPECT_THAT(Redial({kServer4, "81", kServer4, "80"}),
              ElementsAre("ECONNREFUSED", kUnicomSource4));
  EXPECT_THAT(Redial({kServer6, "81", kServer6, "80"}),
              ElementsAre("ECONNREFUSED", kUnicomSource6));
}

TEST_P(RunRedialTest, TcpDissolvedAfterARefusal) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  EXPECT_THAT(Redial({"-d", kServer4, "81", kOtherServer4, "80"}),
              ElementsAre("ECONNREFUSED", kUnicomSource4));
}

TEST_P(RunRedialTest, TcpDissolvedWhileConnected) {
  Nginx nginx = Nginx::Start(lab_.host("server")).value();
  EXPECT_THAT(Redial({"-d", kServer4, "80", kOtherServer4, "80"}),
              ElementsAre(kUnicomSource4, kUnicomSource4));
}

// Two destinations of two rules, or of one and none: nothing of the first is left at the second.
struct TwoRules {
  const char *name, *first, *other;  // what each rule does; an empty one is left out
  std::string first4, first6, other4, other6;
};

void PrintTo(const TwoRules &rules, std::ostream *out) {
  *out << rules.name;
}

// Of a rule that names a source alone, the mark that leads to its uplink is set too.
const TwoRules kTwoRules[] = {
    {"OtherMark", "mark = 100", "mark = 200", "10.1.0.1 mark 100", "fd00:1::1 mark 100",
     "10.0.0.1 mark 200", "fd00::1 mark 200"},
    {"OtherSource", "source = ['10.1.0.1', 'fd00:1::1']", "source = ['10.0.0.1', 'fd00::1']",
     "10.1.0.1 mark 0", "fd00:1::1 mark 0", "10.0.0.1 mark 0", "fd00::1 mark 0"},
    {"OtherSourceOfTheUplink", "source = ['10.1.0.1', 'fd00:1::1']",
     "source = ['10.1.0.2', 'fd00:1::2']", "10.1.0.1 mark 0", "fd00:1::1 mark 0", "10.1.0.2 mark 0",
     "fd00:1::2 mark 0"},
    {"MarkAndSource", "mark = 100", "source = ['10.1.0.2', 'fd00:1::2']", "10.1.0.1 mark 100",
     "fd00:1::1 mark 100", "10.1.0.2 mark 0", "fd00:1::2 mark 0"},
    {"NoMark", "mark = 100", "", "10.1.0.1 mark 100", "fd00:1::1 mark 100", "10.0.0.1 mark 0",
     "fd00::1 mark 0"},
    {"NoSource", "source = ['10.1.0.2', 'fd00:1::2']", "", "10.1.0.2 mark 0", "fd00:1::2 mark 0",
     "10.0.0.1 mark 0", "fd00::1 mark 0"},
    {"NoTable", "mark = 100\napply = 'bind'", "", "10.1.0.1 mark 0", "fd00:1::1 mark 0",
     "10.0.0.1 mark 0", "fd00::1 mark 0"},
};

class RunRedialTwoTest : public RunTest, public testing::WithParamInterface<TwoRules> {
 protected:
  void SetUp() override {
    const TwoRules &rules = GetParam();
    ASSERT_TRUE(RouteBySource(lab_).ok());
    std::string policy =
        absl::StrCat("[[rule]]\nto = ['", kServer4, "', '", kServer6, "']\n", rules.first, "\n");
    if (*rules.other != 0)
      absl::StrAppend(&policy, "[[rule]]\nto = ['", kOtherServer4, "', '", kOtherServer6, "']\n",
                      rules.other, "\n");
    ASSERT_TRUE(files_.Write("p.toml", policy).ok());
  }

  // Without the ports.
  Words Redial(const Words &arguments, Words command = {}) const {
    command.insert(command.end(), {REDIAL, "-k"});
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Result redial = Run({"--policy", files_.path() + "/p.toml"}, command);
    EXPECT_TRUE(redial.ok()) << redial.ToString();
    Words lines = absl::StrSplit(redial.out, '\n', absl::SkipEmpty());
    for (std::string &line : lines) {
      const Words words = absl::StrSplit(line, ' ');
      if (words.size() == 4) line = absl::StrCat(words[0], " mark ", words[3]);
    }
    return lines;
  }

  TempDir files_ = TempDir::Make().value();
};

INSTANTIATE_TEST_SUITE_P(, RunRedialTwoTest, testing::ValuesIn(kTwoRules),
                         [](const auto &rules) { return rules.param.name; });

TEST_P(RunRedialTwoTest, UdpDissolvedInBetween) {
  const TwoRules &rules = GetParam();
  EXPECT_THAT(Redial({"-u", "-d", kServer4, "53", kOtherServer4, "53", kServer4, "53"}),
              ElementsAre(rules.first4, rules.other4, rules.first4));
  EXPECT_THAT(Redial({"-u", "-d", kServer6, "53", kOtherServer6, "53", kServer6, "53"}),
              ElementsAre(rules.first6, rules.other6, rules.first6));
  EXPECT_THAT(Redial({"-u", "-d", kOtherServer4, "53", kServer4, "53", kOtherServer4, "53"}),
              ElementsAre(rules.other4, rules.first4, rules.other4));
}

const Words kWithoutRights = {"setpriv", "--bounding-set=-net_admin,-net_raw"};

// Neither one that is refused nor none at all is a mark of the application's.
TEST_P(RunRedialTwoTest, UdpThatAsksInVainForAMarkOrForNone) {
  const TwoRules &rules = GetParam();
  const Words both = {"-u", "-d", kServer4, "53", kOtherServer4, "53"};
  Words refused = {"-m", "7"}, none = {"-m", "0"};
  refused.insert(refused.end(), both.begin(), both.end());
  none.insert(none.end(), both.begin(), both.end());
  EXPECT_THAT(Redial(refused, kWithoutRights), ElementsAre(rules.first4, rules.other4));
  EXPECT_THAT(Redial(none), ElementsAre(rules.first4, rules.other4));
}

// Its own mark is the application's, also if the kernel refuses it another.
TEST_P(RunRedialTwoTest, UdpThatHasAMarkAndAsksInVainForAnother) {
  const Words marked = Redial({"-u", "-d", "-m", "100", kServer4, "53", kOtherServer4, "53"});
  EXPECT_EQ(Redial({"-u", "-d", "-m", "100", "-n", "7", kServer4, "53", kOtherServer4, "53"}),
            marked);
}

TEST_P(RunRedialTwoTest, TcpAfterARefusal) {
  const TwoRules &rules = GetParam();
  const Nginx nginx = Nginx::Start(lab_.host("server"), /*access_log=*/false).value();
  const auto mark = [](const std::string &line) { return line.substr(line.find(' ')); };
  EXPECT_THAT(Redial({kServer4, "81", kOtherServer4, "80"}),
              ElementsAre("ECONNREFUSED" + mark(rules.first4), rules.other4));
  EXPECT_THAT(Redial({kOtherServer6, "81", kServer6, "80"}),
              ElementsAre("ECONNREFUSED" + mark(rules.other6), rules.first6));
}

}  // namespace
}  // namespace srcsel::lab
