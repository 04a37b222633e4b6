// srcsel up typed inside of `ip netns exec`, which has a /sys of its own and hides cgroups: what is
// refused there, and what status and doctor say of it outside. And typed outside, with --netns:
// what it says is to be typed.

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

}  // namespace
}  // namespace srcsel::lab
