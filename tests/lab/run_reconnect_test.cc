// A UDP socket that connects again without AF_UNSPEC between keeps its source, and with it the mark
// that this was chosen with: it leaves by its uplink, or it would not be answered.

#include <optional>

#include "absl/strings/str_split.h"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;

constexpr char kOneServer[] = "[[rule]]\nto = ['192.0.2.80', '2001:db8:80::80']\nmark = 100\n";
constexpr char kMapped[] = "::ffff:192.0.2.80", kOtherMapped[] = "::ffff:192.0.2.81";

class ReconnectTest : public RunTest {
 protected:
  void SetUp() override {
    server_.emplace(
        lab_.host("server").Spawn({.argv = {"/usr/bin/python3", PROGRAMS "/whoami.py"}}).value());
    ASSERT_EQ(server_->WaitForLine("").value(), "listening");
  }

  Words Reconnect(const std::string &policy, const Words &steps,
                  const std::string &via = "bpf") const {
    EXPECT_TRUE(folder_.Write("p.toml", policy).ok());
    Words words{SRCSEL,
                "run",
                "-q",
                "--via",
                via,
                "--policy",
                folder_.path() + "/p.toml",
                "--",
                "/usr/bin/python3",
                PROGRAMS "/reconnect.py"};
    words.insert(words.end(), steps.begin(), steps.end());
    const Result run = RunPlain(std::move(words));
    EXPECT_TRUE(run.ok()) << run.ToString();
    return absl::StrSplit(run.out, '\n', absl::SkipEmpty());
  }

  TempDir folder_ = TempDir::Make().value();
  std::optional<Process> server_;
};

struct Ends {
  const char *name, *marked, *unmarked, *unicom, *telecom;
};

class RunReconnectTest : public ReconnectTest,
                         public testing::WithParamInterface<std::tuple<const char *, Ends>> {
 protected:
  Words Reconnect(const Words &steps, const std::string &policy = kOneServer) const {
    return ReconnectTest::Reconnect(policy, steps, std::get<0>(GetParam()));
  }
  const Ends ends_ = std::get<1>(GetParam());
  const std::string unicom_ = absl::StrCat(ends_.unicom, " 100"),
                    telecom_ = absl::StrCat(ends_.telecom, " 0");
};

INSTANTIATE_TEST_SUITE_P(
    , RunReconnectTest,
    testing::Combine(
        testing::Values("bpf", "preload"),
        testing::Values(Ends{"Ipv4", kServer4, kOtherServer4, kUnicomSource4, kTelecomSource4},
                        Ends{"Ipv6", kServer6, kOtherServer6, kUnicomSource6, kTelecomSource6},
                        Ends{"Mapped", kMapped, kOtherMapped, kUnicomSource4, kTelecomSource4})),
    [](const auto &way) {
      return absl::StrCat(std::get<0>(way.param), std::get<1>(way.param).name);
    });

TEST_P(RunReconnectTest, WhereNoRuleHoldsTheMarkStays) {
  EXPECT_THAT(Reconnect({ends_.marked, ends_.unmarked, ends_.marked}),
              ElementsAre(unicom_, unicom_, unicom_));
}

TEST_P(RunReconnectTest, WhereAnotherMarkIsWantedTheFirstStays) {
  const std::string other = absl::StrCat(kOneServer, "[[rule]]\nmark = 7\n");
  EXPECT_THAT(Reconnect({ends_.marked, ends_.unmarked}, other), ElementsAre(unicom_, unicom_));
}

TEST_P(RunReconnectTest, WhereAMarkIsWantedNoneStays) {
  EXPECT_THAT(Reconnect({ends_.unmarked, ends_.marked}), ElementsAre(telecom_, telecom_));
}

TEST_P(RunReconnectTest, WhatIsDissolvedIsDecidedAnew) {
  EXPECT_THAT(Reconnect({ends_.marked, "dissolve", ends_.unmarked, "dissolve", ends_.marked}),
              ElementsAre(unicom_, telecom_, unicom_));
}

TEST_P(RunReconnectTest, ADatagramElsewhereLeavesTheMark) {
  EXPECT_THAT(Reconnect({ends_.marked, "sendto", ends_.unmarked, "again"}),
              ElementsAre(unicom_, unicom_));
}

class RunReconnectBpfTest : public ReconnectTest {};

TEST_F(RunReconnectBpfTest, WhatCannotBeMarkedAnyMoreIsRejectedOnRequest) {
  EXPECT_THAT(Reconnect(absl::StrCat(kOneServer, "on-fail = 'reject'\n"),
                        {kOtherServer4, kServer4, "dissolve", kServer4}),
              ElementsAre("10.0.0.1 0", "EADDRNOTAVAIL 0", "10.1.0.1 100"));
}

}  // namespace
}  // namespace srcsel::lab
