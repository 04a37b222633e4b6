// srcsel run --policy, and sources that an existing fwmark rule sends out by their own uplink.

#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RunPolicyTest : public RunTest {
 protected:
  Words Policy(absl::string_view text) const {
    EXPECT_TRUE(folder_.Write("p.toml", text).ok());
    return {"--policy", folder_.path() + "/p.toml"};
  }
  // The source of a UDP socket that connects under the policy.
  std::string SourceUnder(absl::string_view policy, const char *server) const {
    const Result dial = Run(Policy(policy), {DIAL, "-u", server, "53"});
    EXPECT_TRUE(dial.ok()) << dial.ToString();
    return SourceIn(dial.out);
  }

  TempDir folder_ = TempDir::Make().value();
};

TEST_F(RunPolicyTest, DecidesByDestination) {
  const char *policy = "[[rule]]\nto = ['192.0.2.81', '2001:db8:80::81/128']\nmark = 100\n";
  EXPECT_EQ(SourceUnder(policy, kServer4), kTelecomSource4);
  EXPECT_EQ(SourceUnder(policy, kOtherServer4), kUnicomSource4);
  EXPECT_EQ(SourceUnder(policy, kServer6), kTelecomSource6);
  EXPECT_EQ(SourceUnder(policy, kOtherServer6), kUnicomSource6);
}

TEST_F(RunPolicyTest, TheFirstRuleHolds) {
  EXPECT_EQ(SourceUnder("[[rule]]\nuidrange = 'root'\nsource = '10.1.0.2'\n"
                        "[[rule]]\nsource = '10.1.0.1'\n",
                        kServer4),
            kUnicomOtherSource4);
}

TEST_F(RunPolicyTest, ATableIsFoundByItsMark) {
  const Result dial = Run(Policy("[[rule]]\nlookup = 100\n"), {DIAL, "-u", "-k", kServer4, "53"});
  EXPECT_THAT(dial.out, AllOf(StartsWith("10.1.0.1 "), HasSubstr(" mark 100\n")));
  EXPECT_EQ(SourceUnder("[[rule]]\nlookup = 100\napply = 'bind'\n", kServer6), kUnicomSource6);
}

// Also when the rule that leads there becomes another one.
TEST_F(RunPolicyTest, ATableIsFoundAgain) {
  Process dial = Spawn(Policy("[[rule]]\nlookup = 100\n"),
                       {DIAL, "-u", "-k", "-w", "-n", "1000000", kServer4, "53"});
  EXPECT_THAT(dial.WaitForLine(" ").value(), EndsWith(" mark 100"));
  ASSERT_TRUE(
      client_
          .IpBatch("-4", {"rule del fwmark 100 table 100", "rule add fwmark 0x700/0xf00 table 100"})
          .ok());
  ASSERT_TRUE(client_.Ip("-6 rule del fwmark 100 table 100").ok());
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(dial.Write("again\n").ok());
    return dial.WaitForLine(" ").value().ends_with(" mark 1792");
  }));
}

TEST_F(RunPolicyTest, AChosenSourceLeavesByItsUplink) {
  const Nginx nginx = Nginx::Start(lab_.host("server")).value();
  Capture eth0 = client_.StartCapture("eth0").value(), eth1 = client_.StartCapture("eth1").value();
  for (const Words &options :
       {Policy("[[rule]]\nsource = '10.1.0.2'\n"), Words{"--source", "10.1.0.2"}}) {
    const Result curl = Run(options, Curl(kServer4));
    ASSERT_TRUE(curl.ok()) << curl.ToString();
    EXPECT_EQ(SourceIn(curl.out), kUnicomOtherSource4);
  }
  const IpAddress to = IpAddress::Parse(kServer4).value();
  EXPECT_THAT(eth1.SynSources(to).value(), testing::SizeIs(testing::Ge(2)));
  EXPECT_THAT(eth0.SynSources(to).value(), IsEmpty());
}

TEST_F(RunPolicyTest, ASourceThatGoesAstrayIsSaidLoudly) {
  ASSERT_TRUE(client_.Ip("rule del fwmark 100 table 100").ok());
  const Words dial{DIAL, "-u", kServer4, "53"};
  Words words{SRCSEL, "run", "--source", "10.1.0.1"};
  words.insert(words.end(), dial.begin(), dial.end());
  const Result run = RunPlain(words);
  EXPECT_THAT(run.out, StartsWith("10.1.0.1 "));
  EXPECT_EQ(run.err,
            "srcsel: warning: --source: 10.1.0.1 leaves by eth0, not by eth1, for example to "
            "1.77.131.9; unless "
            "a mark set in OUTPUT sends it there: ip rule add pref 32765 from 10.1.0.1 lookup 100\n"
            "srcsel: source 10.1.0.1, via bpf: " DIAL "\n");
  EXPECT_EQ(Run({"--source", "10.1.0.1"}, dial).err, "") << "-q";
}

TEST_F(RunPolicyTest, AllMistakesAreToldAtOnce) {
  const Result run = Run(Policy("[[rule]]\nmark = 'blue'\nto = '@wan'\n"), {"true"});
  EXPECT_EQ(run.status, 125);
  EXPECT_THAT(run.err, testing::MatchesRegex(
                           "srcsel: [^\n]*/p.toml:2: error: rule.mark: 'blue' is not a mark[^\n]*\n"
                           "srcsel: [^\n]*/p.toml:3: error: rule.to: no .set.wan. is defined\n"));
  EXPECT_EQ(run.out, "");
}

TEST_F(RunPolicyTest, WhatThisHostCannotDoIsTold) {
  const Result run = Run(Policy("[[rule]]\nlookup = 77\n[[rule]]\nsource = '203.0.113.9'\n"
                                "mark = 1\nto = '192.0.2.0/24'\n"),
                         {"true"});
  EXPECT_EQ(run.status, 125);
  EXPECT_THAT(run.err, AllOf(HasSubstr("p.toml:2: error: rule.lookup: "),
                             HasSubstr("ip rule add fwmark 77 lookup 77"),
                             HasSubstr("p.toml:4: error: rule.source: 203.0.113.9: ")));
}

TEST_F(RunPolicyTest, ExcludesWhatSaysAPolicyInWords) {
  for (const Words &other : {Words{"--mark", "1"}, Words{"--source", "10.1.0.1"},
                             Words{"--ports", "1-2"}, Words{"--apply", "bind"}}) {
    Words options = Policy("[[rule]]\nmark = 1\n");
    options.insert(options.end(), other.begin(), other.end());
    ExpectRefused(Run(options, {"true"}), {"--policy", other[0], "exclude"});
  }
  ExpectRefused(Run({"--policy", "/no/such"}, {"true"}), {"/no/such", "No such file"});
  ExpectRefused(Run({"--ports", "9-1"}, {"true"}), {"--ports", "'9-1'", "1-9"});
}

}  // namespace
}  // namespace srcsel::lab
