// Others on the same cgroups: programs of somebody else, runs within runs, runs side by side.

#include "absl/strings/str_cat.h"
#include "lab/run_custody.hh"
#include "lab/run_neighbour.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

class RunNeighboursTest : public RunTest {
 protected:
  static Words Dialling(const char *server) {
    return {DIAL, "-u", "-k", "-w", "-n", "1000000", server, "53"};
  }

  void DialAgain(Process &dial, const std::string &source) {
    ASSERT_TRUE(dial.Write("again\n").ok());
    EXPECT_THAT(dial.WaitForLine("").value(), StartsWith(source + " "));
  }
};

TEST_F(RunNeighboursTest, AnOuterProgramThatWasThereFirst) {
  const Neighbour four = Neighbour::Load(BPF_CGROUP_INET4_CONNECT).value();
  const Neighbour six = Neighbour::Load(BPF_CGROUP_INET6_CONNECT).value();
  const Fd outer = OpenCgroup(cgroup_.path()).value();
  ASSERT_TRUE(four.Attach(outer).ok());
  ASSERT_TRUE(six.Attach(outer).ok());
  EXPECT_THAT(Run(kMark, {DIAL, "-u", kServer4, "53"}).out, StartsWith("10.1.0.1 "));
  EXPECT_THAT(Run(kMark, {DIAL, "-u", kServer6, "53"}).out, StartsWith("fd00:1::1 "));
  EXPECT_EQ(four.Count().value(), 1);
  EXPECT_EQ(six.Count().value(), 1);
}

TEST_F(RunNeighboursTest, ProgramsThatComeLaterToEitherCgroup) {
  Process dial = Spawn(kMark, Dialling(kServer4));
  EXPECT_THAT(dial.WaitForLine("").value(), StartsWith("10.1.0.1 "));
  for (const std::string &path : {RunCgroupPath(), cgroup_.path()}) {
    const Neighbour neighbour = Neighbour::Load().value();
    ASSERT_TRUE(neighbour.Attach(OpenCgroup(path).value()).ok());
    DialAgain(dial, kUnicomSource4);
    DialAgain(dial, kUnicomSource4);
    EXPECT_EQ(neighbour.Count().value(), 2);
  }
}

TEST_F(RunNeighboursTest, AProgramOutlivesTheRunBesideIt) {
  const Neighbour neighbour = Neighbour::Load().value();
  ASSERT_TRUE(neighbour.Attach(OpenCgroup(cgroup_.path()).value()).ok());
  ASSERT_TRUE(Run(kMark, {"true"}).ok());
  ASSERT_TRUE(cgroup_.WaitUntilChildless().ok());
  EXPECT_THAT(RunPlain({DIAL, "-u", kServer4, "53"}).out, StartsWith("10.0.0.1 "));
  EXPECT_EQ(neighbour.Count().value(), 1);
}

TEST_F(RunNeighboursTest, ParallelRunsDoNotMeet) {
  Process first = Spawn(kMark, Dialling(kServer4));
  Process second = Spawn({"--mark", "200"}, Dialling(kServer4));
  EXPECT_THAT(first.WaitForLine("").value(), EndsWith(" mark 100"));
  EXPECT_THAT(second.WaitForLine("").value(), EndsWith(" mark 200"));
  for (int i = 0; i < 3; ++i) {
    DialAgain(first, kUnicomSource4);
    DialAgain(second, kTelecomSource4);
  }
  second.CloseInput();
  EXPECT_TRUE(second.Wait().ok());
  DialAgain(first, kUnicomSource4);
}

// A run within a run: the inner one is the more particular, and decides.
class RunNestedTest : public RunNeighboursTest {
 protected:
  Result RunNested(const Words &outer, const Words &inner, const Words &command) const {
    return Run(outer, Srcsel(inner, command).argv);
  }
  const Words kDial{DIAL, "-u", "-k", kServer4, "53"};
};

TEST_F(RunNestedTest, TheInnerMarkHolds) {
  const Result dial = RunNested({"--mark", "200"}, kMark, kDial);
  EXPECT_THAT(dial.out, AllOf(StartsWith("10.1.0.1 "), EndsWith(" mark 100\n"))) << dial.ToString();
}

TEST_F(RunNestedTest, TheInnerSourceHolds) {
  const Result dial = RunNested({"--source", "10.1.0.1"}, {"--source", "10.1.0.2"}, kDial);
  EXPECT_THAT(dial.out, StartsWith("10.1.0.2 ")) << dial.ToString();
}

TEST_F(RunNestedTest, TheInnerSourceHoldsUnderAMark) {
  const Result dial = RunNested(kMark, {"--source", "10.1.0.2"}, kDial);
  EXPECT_THAT(dial.out, StartsWith("10.1.0.2 ")) << dial.ToString();
}

TEST_F(RunNestedTest, TheInnerMarkHoldsUnderASource) {
  const Result dial = RunNested({"--source", "10.0.0.1"}, kMark, kDial);
  EXPECT_THAT(dial.out, AllOf(StartsWith("10.1.0.1 "), EndsWith(" mark 100\n"))) << dial.ToString();
}

TEST_F(RunNestedTest, TheOuterPolicyHoldsAgainAfterwards) {
  const Command inner = Srcsel({"--mark", "200"}, kDial);
  const Result shell = Run(
      kMark,
      {"sh", "-c", absl::StrCat(inner.ToString(), "; exec ", DIAL, " -u -k ", kServer4, " 53")});
  EXPECT_THAT(shell.out, testing::ContainsRegex("10.0.0.1 [0-9]+ mark 200\n"
                                                "10.1.0.1 [0-9]+ mark 100\n"))
      << shell.ToString();
}

}  // namespace
}  // namespace srcsel::lab
