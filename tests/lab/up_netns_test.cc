// srcsel up typed inside of `ip netns exec`, which has a /sys of its own and hides cgroups: what is
// refused there, and what status and doctor say of it outside. And typed outside, with --netns:
// what it says is to be typed.

#include <fcntl.h>
#include <sys/mount.h>

#include "lab/doctor_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class UpNetnsTest : public DoctorTest {
 protected:
  // Names of namespaces live in /run/netns: here it is this test's own.
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_EQ(mount("run", "/run", "tmpfs", 0, nullptr), 0);
    ASSERT_TRUE(client_.Run({.argv = {"sh", "-c", "ip netns attach blue $$"}})->ok());
  }

  // From the root of the hierarchy, of which no mount is seen there.
  std::string Cgroup() const {
    const std::string table = Run({"cat", "/proc/self/cgroup"}).out;
    const std::size_t own = table.find("0::") + 3;
    return table.substr(own, table.find('\n', own) - own);
  }
  // By somebody who is elsewhere, and stays there.
  Result Outside(const Words &words) const {
    return lab_.host("telecom").Run(CommandOf(words, keeper_.path())).value();
  }
  // Where the pins are not seen.
  Result OutOfSight(const Words &words, const std::string &cgroup) const {
    Words all{"unshare", "-m",  "sh", "-c", absl::StrCat("umount -l ", above_, " && exec \"$@\""),
              "sh",      SRCSEL};
    all.insert(all.end(), words.begin(), words.end());
    return client_.Run(CommandOf(std::move(all), cgroup)).value();
  }
  // By somebody who is elsewhere.
  Result InBlue(const Words &words, const std::string &pins) const {
    Words all{"ip", "netns", "exec", "blue", SRCSEL};
    all.insert(all.end(), words.begin(), words.end());
    Command command = CommandOf(std::move(all), keeper_.path());
    command.env = {"SRCSEL_RUN_DIR=" + run_, "SRCSEL_BPF_DIR=" + pins};
    return lab_.host("telecom").Run(command).value();
  }
};

TEST_F(UpNetnsTest, WhereNobodyElseWouldSeeItItSaysWhatToTypeOutside) {
  const Result up = InBlue({"up", "-q", "--cgroup", Cgroup()}, "/sys/fs/bpf/srcsel-netns-test");
  EXPECT_EQ(up.status, 1);
  EXPECT_THAT(up.err, AllOf(HasSubstr("/sys/fs/bpf is no bpffs in this mount namespace"),
                            HasSubstr(": say srcsel up --netns blue outside of `ip netns exec`")));
  ExpectNothingLeft();
}

std::string Behind(const std::string &text, const std::string &words) {
  const std::size_t at = text.find(words);
  EXPECT_NE(at, std::string::npos) << words << " is not in " << text;
  if (at == std::string::npos) return "";
  const std::size_t begin = at + words.size();
  return text.substr(begin, text.find_first_of(";\n", begin) - begin);
}

TEST_F(UpNetnsTest, ACommandThatCheckTellsIsForItsNamespace) {
  const auto told = [&](const std::string &policy, const std::string &before) {
    const Result check = Outside({SRCSEL, "check", "--netns", "blue", PolicyFile(policy)});
    const std::string command = Behind(check.out, before);
    EXPECT_THAT(command, HasSubstr("ip -n blue "));
    EXPECT_TRUE(Outside({"sh", "-c", command}).ok()) << command;
    return Outside({SRCSEL, "check", "--netns", "blue", PolicyFile(policy)});
  };
  EXPECT_TRUE(told("[[rule]]\nlookup = 77\n", "this does: ").ok());
  EXPECT_THAT(told(kBySource, "sends it there: ").out, Not(HasSubstr("sends it there")));
  ASSERT_TRUE(client_.Ip("link set eth1 down").ok());
  EXPECT_THAT(told("[[rule]]\nsource = 'dev eth1'\n", "the interface is down; ").out,
              Not(HasSubstr("is down")));
}

TEST_F(UpNetnsTest, ACommandThatUpOrStatusTellsIsForItsNamespace) {
  const Words up{SRCSEL, "up", "--netns", "blue", "--cgroup", cgroup_.path()};
  Words dry = up, down = up;
  dry.emplace_back("--dry-run");
  EXPECT_THAT(Outside(dry).err, HasSubstr("as in: ip -n blue rule add fwmark 100 lookup 100 && "
                                          "ip netns exec blue iptables "));
  ASSERT_TRUE(client_.Ip("link set eth1 down").ok());
  down.insert(down.end(), {"-q", "--policy", PolicyFile("[[rule]]\nsource = 'dev eth1'\n")});
  EXPECT_THAT(Outside(down).out, HasSubstr("; ip -n blue link set eth1 up; "));
  const std::string lack = Status().at("lacks").at(0);
  EXPECT_TRUE(Outside({"sh", "-c", Behind(lack, "the interface is down; ")}).ok()) << lack;
  EXPECT_TRUE(Eventually([&] { return Status().at("lacks").empty(); }));
}

TEST_F(UpNetnsTest, WhatIsPinnedWhereItsProcessAloneSeesItIsSeen) {
  const std::string policy = PolicyFile(kBySource);
  const Result up = InBlue({"up", "-q", "--policy", policy, "--cgroup", Cgroup()}, bpf_);
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_FALSE(IsBpffs(above_)) << "it is not seen here";
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  const Json status = Status();
  EXPECT_EQ(status.at("trouble"), "");
  EXPECT_EQ(status.at("netns"), "blue");
  EXPECT_THAT(status.at("hooks"), SizeIs(8));
  EXPECT_EQ(status.at("reasons"), Json::parse(R"({"source":1})"));
  EXPECT_THAT(Find("up"), IsEmpty());

  // With its last process that bpffs goes, and all that is pinned in it.
  KillFollower();
  EXPECT_TRUE(Eventually([&] { return ProgramIds(cgroup_.path()).value().empty(); }));
  const std::string again = absl::StrCat("srcsel down && srcsel up --policy ", policy, " --cgroup ",
                                         Cgroup(), " --netns blue");
  EXPECT_EQ(Status().at("trouble"), "hooks are missing");
  EXPECT_EQ(Status().at("remedy"), again);
  ExpectMended("up", 1, "broken");
  EXPECT_EQ(Source(), kUnicomOtherSource4);
}

// As in `ip netns exec`, whose /sys is another one.
TEST_F(UpNetnsTest, WhatIsPinnedOutOfSightIsReached) {
  MustUp(kBySource);
  KillFollower();
  const Json status = Json::parse(OutOfSight({"status", "--json"}, keeper_.path()).out);
  EXPECT_THAT(status.at("hooks"), SizeIs(8));
  EXPECT_THAT(status.at("trouble"), HasSubstr("is gone, so no change is followed"));
  EXPECT_THAT(
      OutOfSight({"run", "-q", "--mark", "100", "--", DIAL, "-u", kServer4, "53"}, cgroup_.path())
          .out,
      ::testing::StartsWith(kUnicomSource4))
      << "what is attached above overrules it";
  const Result up = OutOfSight(
      {"up", "-q", "--policy", PolicyFile(kBySource), "--cgroup", cgroup_.path()}, keeper_.path());
  EXPECT_EQ(up.status, 1);
  EXPECT_THAT(up.err, AllOf(HasSubstr("out of sight of this mount namespace: srcsel up --policy "),
                            HasSubstr(" takes over where srcsel up was said")));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  EXPECT_EQ(OutOfSight({"down"}, keeper_.path()).err, "srcsel: down\n");
  EXPECT_EQ(Source(), kTelecomSource4);
  ExpectNothingLeft();
}

// In a mount namespace that a descriptor keeps, and no process is in.
TEST_F(UpNetnsTest, WhatIsPinnedWhereNobodySeesItIsNotForgotten) {
  const auto as_keeper = [&](Words words) { return CommandOf(std::move(words), keeper_.path()); };
  Process shell =
      client_
          .Spawn(as_keeper({"unshare", "-m", "sh", "-c",
                            absl::StrCat("mount -t bpf -o mode=0700 bpf ", above_, " && ", SRCSEL,
                                         " up -q --policy ", PolicyFile(kBySource), " --cgroup ",
                                         cgroup_.path(), " && echo up && exec cat")}))
          .value();
  ASSERT_TRUE(shell.WaitForLine("up").ok());
  const Fd mounts(
      open(absl::StrCat("/proc/", shell.pid(), "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
  shell.CloseInput();
  EXPECT_TRUE(shell.Wait().ok());
  KillFollower();
  const Result down = Srcsel({"down"});
  EXPECT_EQ(down.status, 1);
  EXPECT_THAT(down.err, HasSubstr("the hooks of srcsel up are attached, but " + bpf_));
  EXPECT_EQ(Srcsel({"status"}).status, 2);
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  EXPECT_THAT(Run({SRCSEL, "run", "--mark", "100", "--", "true"}).err,
              HasSubstr("warning: the hooks of srcsel up are attached, but " + bpf_));
  const std::string there = absl::StrCat("--mount=/proc/", getpid(), "/fd/", mounts.get());
  EXPECT_EQ(client_.Run(as_keeper({"nsenter", there, SRCSEL, "down"}))->err, "srcsel: down\n");
  EXPECT_EQ(Source(), kTelecomSource4);
  ExpectNothingLeft();
}

}  // namespace
}  // namespace srcsel::lab
