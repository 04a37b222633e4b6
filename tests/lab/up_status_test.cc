// srcsel status, and the sockets that are older than the hooks.

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using UpStatusTest = UpTest;

TEST_F(UpStatusTest, TellsWhatIsUp) {
  EXPECT_EQ(Srcsel({"status"}).out, "nothing is up\n");
  EXPECT_EQ(Srcsel({"status"}).status, 1);
  EXPECT_EQ(Status(), Json::parse(R"({"up":false})"));
  MustUp("[[rule]]\nto = '192.0.2.81'\nmark = 100\n[[rule]]\nsource = '10.1.0.2'\n");
  Source();
  Source();
  const Json status = Status();
  EXPECT_EQ(status.at("up"), true);
  EXPECT_EQ(status.at("following"), true);
  EXPECT_EQ(status.at("trouble"), "");
  EXPECT_EQ(status.at("cgroup"), cgroup_.path());
  EXPECT_EQ(status.at("policy"), folder_.path() + "/p.toml");
  EXPECT_EQ(status.at("generation"), 1);
  EXPECT_THAT(status.at("hooks"), SizeIs(8));
  EXPECT_EQ(status.at("reasons"), Json::parse(R"({"source":2})"));
  EXPECT_EQ(status.at("rules").at(0).at("matched"), 0);
  EXPECT_EQ(status.at("rules").at(1).at("matched"), 2);
  EXPECT_EQ(status.at("rules").at(1).at("applied"), 2);
  EXPECT_EQ(status.at("rules").at(1).at("rule"), folder_.path() + "/p.toml:4");
  EXPECT_EQ(status.at("dropped"), 0);
  EXPECT_THAT(status.at("old_sockets"), IsEmpty());
  const Result text = Srcsel({"status"});
  EXPECT_EQ(text.status, 0);
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("up on cgroup " + cgroup_.path() + " since 20"),
                    HasSubstr("followed      by process "), HasSubstr("p.toml, 2 rules")));
}

TEST_F(UpStatusTest, TellsWhenTheCgroupIsGone) {
  {
    const TestCgroup other = TestCgroup::Create().value();
    ASSERT_TRUE(
        Srcsel({"up", "-q", "--policy", PolicyFile(kBySource), "--cgroup", other.path()}).ok());
  }
  EXPECT_THAT(Status().at("trouble"), HasSubstr("has been removed, and the hooks with it"));
  EXPECT_EQ(Status().at("remedy"), "srcsel down");
  const Result reload = Srcsel({"reload"});
  EXPECT_EQ(reload.status, 1);
  EXPECT_THAT(reload.err, AllOf(HasSubstr("the policy is not in force"),
                                HasSubstr("has been removed, and the hooks with it: srcsel down")));
  EXPECT_EQ(reload.out, "");
}

// As that of a service is which has been started anew.
TEST_F(UpStatusTest, TellsWhenTheCgroupIsAnotherOneOfThatName) {
  const std::string cgroup = cgroup_.path() + "/service";
  ASSERT_EQ(mkdir(cgroup.c_str(), 0755), 0);
  const std::string policy = PolicyFile(kBySource);
  ASSERT_TRUE(Srcsel({"up", "-q", "--policy", policy, "--cgroup", cgroup}).ok());
  ASSERT_EQ(rmdir(cgroup.c_str()), 0);
  ASSERT_EQ(mkdir(cgroup.c_str(), 0755), 0);
  const std::string again =
      absl::StrCat("srcsel down && srcsel up --policy ", policy, " --cgroup ", cgroup);
  EXPECT_EQ(Status().at("remedy"), again);
  const Result reload = Srcsel({"reload"});
  EXPECT_EQ(reload.status, 1);
  EXPECT_THAT(reload.err, HasSubstr(again + "\n"));
  EXPECT_EQ(rmdir(cgroup.c_str()), 0);
}

// Nothing is named then that would do more than what was up.
TEST_F(UpStatusTest, TellsWhenNothingIsKnownOfWhatIsUp) {
  MustUp(kBySource);
  KillFollower();
  std::filesystem::remove_all(run_);
  const Result status = Srcsel({"status"});
  EXPECT_EQ(status.status, 1);
  EXPECT_THAT(status.out, AllOf(testing::StartsWith("up\n"),
                                HasSubstr("what it was brought up with is not known any more"),
                                Not(HasSubstr("srcsel up")), Not(HasSubstr("policy"))));
  EXPECT_EQ(Status().at("remedy"), "srcsel down");
  const Result reload = Srcsel({"reload"});
  EXPECT_EQ(reload.status, 1);
  EXPECT_EQ(reload.err,
            "srcsel: the process that follows the kernel is gone: srcsel down ends it\n");
  EXPECT_EQ(Srcsel({"down"}).err, "srcsel: down\n");
  ExpectNothingLeft();
}

// Connects over and over by one socket, which the hooks leave alone if it is older than they are.
constexpr char kOneSocket[] = R"(
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if sys.argv[1]: s.bind((sys.argv[1], 0))
print('ready', flush=True)
for line in sys.stdin:
    s.connect(('192.0.2.80', 53))
    print(s.getsockname()[0], flush=True)
)";

TEST_F(UpStatusTest, OlderSocketsAreLeftAloneAndListed) {
  Process bound = Spawn({"python3", "-c", kOneSocket, kTelecomSource4});
  Process free = Spawn({"python3", "-c", kOneSocket, ""});
  ASSERT_TRUE(bound.WaitForLine("ready").ok());
  ASSERT_TRUE(free.WaitForLine("ready").ok());
  const Result up = Up(kBySource);
  EXPECT_THAT(up.err, HasSubstr("2 sockets older than that left alone"));
  Process later = Spawn({"python3", "-c", kOneSocket, ""});
  ASSERT_TRUE(later.WaitForLine("ready").ok());
  for (Process *process : {&bound, &free, &later}) ASSERT_TRUE(process->Write("connect\n").ok());
  EXPECT_TRUE(bound.WaitForLine(kTelecomSource4).ok());
  EXPECT_TRUE(free.WaitForLine(kTelecomSource4).ok());
  EXPECT_TRUE(later.WaitForLine(kUnicomOtherSource4).ok());
  const Json status = Status();
  EXPECT_EQ(status.at("reasons").at("old-socket"), 2);
  std::set<pid_t> pids;
  for (const Json &socket : status.at("old_sockets")) {
    pids.insert(socket.at("pid").get<pid_t>());
    EXPECT_EQ(socket.at("comm"), "python3");
    EXPECT_EQ(socket.at("protocol"), "udp");
    EXPECT_EQ(socket.at("peer"), "192.0.2.80:53");
  }
  EXPECT_EQ(pids, (std::set{bound.pid(), free.pid()}));
  bound.CloseInput();
  bound.Wait();
  EXPECT_THAT(Status().at("old_sockets"), SizeIs(1));
}

}  // namespace
}  // namespace srcsel::lab
