// Kernels without the hooks that can be done without: what is amiss is said once, and the rest
// works.

#include <linux/bpf.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_split.h"
#include "lab/refused_bpf.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::StartsWith;

class RunLackingTest : public RunTest, public testing::WithParamInterface<Lack> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_EQ(server_.WaitForLine("").value(), "listening");
  }

  Words Under(const Words &command) const {
    return RefusingBpf(BPF_PROG_LOAD, GetParam().type, EINVAL, command);
  }

  // What the server saw of each flow.
  Words Seen(const Words &options, const Words &flows) const {
    Words ways{"/usr/bin/python3", PROGRAMS "/ways.py"};
    ways.insert(ways.end(), flows.begin(), flows.end());
    const Result result = RunPlain(Under(Srcsel(options, ways).argv));
    EXPECT_EQ(result.err, "");
    Words sources = absl::StrSplit(result.out, '\n', absl::SkipEmpty());
    for (std::string &line : sources) line = SourceIn(line);
    return sources;
  }

  Process server_ = lab_.host("server").Spawn({.argv = {"python3", PROGRAMS "/whoami.py"}}).value();
};

INSTANTIATE_TEST_SUITE_P(, RunLackingTest, testing::ValuesIn(kLacks),
                         [](const auto &lack) { return lack.param.hook; });

TEST_P(RunLackingTest, TheOthersDoTheirWork) {
  const Lack &lack = GetParam();
  if (RunPlain(Under({"true"})).status == 77) GTEST_SKIP() << "no supervisor here";
  EXPECT_THAT(Seen({"--source", "10.1.0.1,fd00:1::1"},
                   {"tcp", kServer4, "tcp", kServer6, "udp", kServer4, "udp", kServer6, "sendto",
                    kServer4, "sendto", kServer6}),
              ElementsAre(kUnicomSource4, kUnicomSource6, kUnicomSource4, kUnicomSource6,
                          lack.sent4, lack.sent6));
  EXPECT_THAT(Seen({"--mark", "100"}, {"tcp", kServer4, "udp", kServer6, "raw-sendto", kServer4,
                                       "raw-sendto", kServer6}),
              ElementsAre(kUnicomSource4, kUnicomSource6, lack.raw4, lack.raw6));
}

TEST_P(RunLackingTest, WhatIsAmissIsSaid) {
  const Result run = RunPlain(Under({SRCSEL, "run", "--mark", "100", "--", "echo", "ran"}));
  if (run.status == 77) GTEST_SKIP() << "no supervisor here: " << run.err;
  EXPECT_EQ(run.out, "ran\n") << run.ToString();
  EXPECT_THAT(run.err, AllOf(StartsWith(std::string("srcsel: warning: the kernel has no hook ") +
                                        GetParam().hook + ": "),
                             EndsWith("\nsrcsel: mark 0x64, via bpf: echo\n")));
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 2) << run.err;
}

}  // namespace
}  // namespace srcsel::lab
