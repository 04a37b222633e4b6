// Each verb as a user who may do nothing: it says what it lacks, and never answers as if it had
// looked where it may not.

#include "lab/up_public_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class UnprivilegedTest : public PublicUpTest {
 protected:
  void SetUp() override {
    PublicUpTest::SetUp();
    ASSERT_TRUE(folder_.Write("p.toml", kByMark).ok());
  }

  Result AsNobody(Words words) const {
    words.insert(words.begin(), SRCSEL);
    return client_.Run(ByNobody(words)).value();
  }
  void ExpectRefused(const Words &words, int status) const {
    const Result result = AsNobody(words);
    EXPECT_EQ(result.status, status) << words[0] << ": " << result.ToString();
    EXPECT_EQ(result.out, "") << words[0];
    EXPECT_THAT(result.err, StartsWith("srcsel: ")) << words[0];
    EXPECT_THAT(result.err, AnyOf(HasSubstr("run as root"), HasSubstr("CAP_"))) << words[0];
  }
  void ExpectAllRefused() const {
    const std::string policy = folder_.path() + "/p.toml";
    ExpectRefused({"up", "-q", "--policy", policy, "--cgroup", cgroup_.path()}, 1);
    ExpectRefused({"up", "--dry-run"}, 1);
    ExpectRefused({"reload"}, 1);
    ExpectRefused({"reload", "--policy", policy}, 1);
    ExpectRefused({"confirm"}, 1);
    ExpectRefused({"down"}, 1);
    ExpectRefused({"status"}, 2);
    ExpectRefused({"status", "--json"}, 2);
    ExpectRefused({"trace"}, 1);
    ExpectRefused({"stats"}, 1);
    ExpectRefused({"stats", "--prometheus"}, 1);
    ExpectRefused({"import", "nft"}, 2);
    ExpectRefused({"import", "iptables", "--json"}, 2);
    ExpectRefused({"run", "--via", "bpf", "--mark", "100", "--", "true"}, 125);
    // The test's own process is root's.
    ExpectRefused({"identify", absl::StrCat(getpid())}, 2);
    ExpectRefused({"explain", "--pid", absl::StrCat(getpid())}, 2);
    ExpectRefused({"explain", "--socket", "10.0.0.1:40000-192.0.2.80:443"}, 2);
  }
};

TEST_F(UnprivilegedTest, WithNothingUp) {
  ExpectAllRefused();
}

TEST_F(UnprivilegedTest, WithSomethingUp) {
  MustUp(kByMark);
  ExpectAllRefused();
  EXPECT_EQ(Source(), kUnicomSource4);
}

// What is not to be seen is said beside what is.
TEST_F(UnprivilegedTest, WhatCanBeToldInPart) {
  MustUp(kByMark);
  const Process dial = Spawn({DIAL, "-u", "-w", "-n", "2", kServer4, "53"});
  const Result pids = AsNobody({"pids"});
  EXPECT_EQ(pids.status, 0);
  EXPECT_THAT(pids.out, HasSubstr(absl::StrCat(dial.pid(), " ")));
  EXPECT_THAT(
      pids.err,
      MatchesRegex("srcsel: of [0-9]+ process(es)? it is not known whether the preload is loaded: "
                   "the memory map cannot be read, which takes CAP_SYS_PTRACE .*\n"));
  EXPECT_EQ(AsNobody({"identify", absl::StrCat(dial.pid())}).status, 0);
  EXPECT_THAT(AsNobody({"explain", kServer4, "dport", "80"}).out,
              HasSubstr("firewall: not read: its rules are root's alone to see"));
  const Result doctor = AsNobody({"doctor"});
  EXPECT_EQ(doctor.status, 2);
  EXPECT_THAT(doctor.out, HasSubstr("this process lacks CAP_BPF"));
  EXPECT_EQ(doctor.err, "");
}

// `ip netns exec` hides cgroups, and to see them all the same takes one capability more.
TEST_F(UnprivilegedTest, InsideOfIpNetnsExec) {
  ASSERT_TRUE(client_.Run({.argv = {"sh", "-c", "ip netns attach blue $$"}})->ok());
  const auto in_blue = [&](Command command) {
    command.argv.insert(command.argv.begin(), {"ip", "netns", "exec", "blue"});
    return lab_.host("telecom").Run(command).value();
  };
  const Result run =
      in_blue(ByNobody({SRCSEL, "run", "--via", "bpf", "--mark", "100", "--", "true"}));
  EXPECT_EQ(run.status, 125);
  EXPECT_THAT(run.err, HasSubstr("CAP_SYS_ADMIN"));
  const Result doctor = in_blue(ByNobody({SRCSEL, "doctor"}));
  EXPECT_THAT(doctor.out, HasSubstr("cgroup v2 is hidden"));
  EXPECT_THAT(doctor.out, Not(HasSubstr("mount -t cgroup2")));
}

// What every user may.
TEST_F(UnprivilegedTest, WhatNeedsNoPrivilege) {
  for (const Words &words : {Words{"route", "get", kServer4}, Words{"verify", "--flows", "100"},
                             Words{"check", folder_.path() + "/p.toml"},
                             Words{"completion", "bash"}, Words{"--version"}, Words{"-V"}}) {
    const Result result = AsNobody(words);
    EXPECT_EQ(result.status, 0) << words[0] << ": " << result.ToString();
    EXPECT_NE(result.out, "") << words[0];
  }
}

}  // namespace
}  // namespace srcsel::lab
