// The process that keeps an `up`: killed, replaced, run in the foreground, on trial.

#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <bpf/bpf.h>

#include <cstring>

#include "agent/up_paths.hh"
#include "hooks/image_map.hh"
#include "hooks/pins.hh"
#include "lab/up_scene.hh"
#include <srcsel/abi.h>

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class UpProcessTest : public UpTest {
 protected:
  void ChangeTheTable() const {
    ASSERT_TRUE(
        client_.Ip("route change default via 10.1.0.254 dev eth1 table 100 src 10.1.0.2").ok());
  }
  static constexpr char kByTable[] = "[[rule]]\nmark = 100\napply = 'bind'\n";
};

TEST_F(UpProcessTest, HooksOutliveIt) {
  MustUp(kByTable);
  KillFollower();
  EXPECT_EQ(Source(), kUnicomSource4);
  const Result status = Srcsel({"status"});
  EXPECT_EQ(status.status, 1);
  const std::string again =
      absl::StrCat("srcsel up --policy ", folder_.path(), "/p.toml --cgroup ", cgroup_.path());
  EXPECT_THAT(status.out, HasSubstr("is gone, so no change is followed: " + again + "\n"));
  EXPECT_EQ(Status().at("remedy"), again);
  const Result reload = Srcsel({"reload"});
  EXPECT_EQ(reload.status, 1);
  EXPECT_THAT(reload.err, HasSubstr(again + " takes over"));
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  ExpectNothingLeft();
}

// A program is at every hook at any time, and what was remembered of sockets still holds.
TEST_F(UpProcessTest, AnotherTakesOver) {
  MustUp(kByTable);
  const std::set<std::uint32_t> before = ProgramIds(cgroup_.path()).value();
  Process bound = Spawn({DIAL, "-u", "-b", kTelecomSource4, "-n", "3", "-w", kServer4, "53"});
  ASSERT_TRUE(bound.WaitForLine("10.0.0.1 ").ok());
  KillFollower();
  ChangeTheTable();
  EXPECT_EQ(Source(), kUnicomSource4) << "nobody follows";
  Process dial = Spawn({DIAL, "-u", "-n", "200000", kServer4, "53"});
  ASSERT_TRUE(dial.WaitForLine("10.1.0.1 ").ok());
  const Result up = Up(kByTable);
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.err, HasSubstr("took over hooks that nobody kept"));
  ASSERT_TRUE(dial.WaitForLine("10.1.0.2 ").ok());
  ASSERT_TRUE(dial.Signal(SIGTERM).ok());
  EXPECT_THAT(dial.Wait().out, ::testing::Not(HasSubstr("10.0.0.1"))) << "there was a gap";
  const std::set<std::uint32_t> after = ProgramIds(cgroup_.path()).value();
  EXPECT_THAT(after, SizeIs(before.size()));
  EXPECT_NE(after, before);
  EXPECT_TRUE(WaitUntilUnloaded(before).ok());
  ASSERT_TRUE(bound.Write("again\n").ok());
  EXPECT_TRUE(bound.WaitForLine("10.0.0.1 ").ok());
}

// Of another cgroup, the hooks are moved.
TEST_F(UpProcessTest, AnotherTakesOverElsewhere) {
  MustUp(kBySource);
  KillFollower();
  const TestCgroup other = TestCgroup::Create().value();
  const Result up =
      Srcsel({"up", "-q", "--policy", PolicyFile(kBySource), "--cgroup", other.path()});
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_EQ(up.err, absl::StrCat("srcsel: warning: taking over: the hooks move from cgroup ",
                                 cgroup_.path(), " to ", other.path(), "\n"));
  EXPECT_TRUE(Eventually([&] { return ProgramIds(cgroup_.path()).value().empty(); }));
  EXPECT_EQ(Source(), kTelecomSource4);
  EXPECT_THAT(ProgramIds(other.path()).value(), SizeIs(4));
}

// At no moment is there none for those below both.
TEST_F(UpProcessTest, AnotherTakesOverFurtherUpWithoutAGap) {
  const std::string inner = cgroup_.path() + "/inner";
  ASSERT_EQ(mkdir(inner.c_str(), 0755), 0);
  const std::string policy = PolicyFile(kBySource);
  ASSERT_TRUE(Srcsel({"up", "-q", "--policy", policy, "--cgroup", inner}).ok());
  KillFollower();
  Process dial =
      client_.Spawn(CommandOf({DIAL, "-u", "-n", "200000", kServer4, "53"}, inner)).value();
  ASSERT_TRUE(dial.WaitForLine("10.1.0.2 ").ok());
  ASSERT_TRUE(Up(kBySource, {"-q"}).ok());
  EXPECT_TRUE(Eventually([&] { return ProgramIds(inner).value().empty(); }));
  ASSERT_TRUE(dial.WaitForLine("10.1.0.2 ").ok());
  ASSERT_TRUE(dial.Signal(SIGTERM).ok());
  EXPECT_THAT(dial.Wait().out, ::testing::Not(HasSubstr("10.0.0.1"))) << "there was a gap";
}

TEST_F(UpProcessTest, WhatTakingOverChangesIsSaid) {
  const std::string policy = PolicyFile(kBySource), cgroup = cgroup_.path();
  ASSERT_TRUE(Srcsel({"up", "-q", "--steer", "--policy", policy, "--cgroup", cgroup}).ok());
  KillFollower();
  const std::vector<std::string> changes = {
      absl::StrCat("the policy ", policy, " is dropped: give --policy ", policy, " to keep it"),
      "the ip rules of --steer are removed: give --steer to keep them"};
  const Result plan = Srcsel({"up", "--dry-run", "--json", "--cgroup", cgroup});
  EXPECT_EQ(Json::parse(plan.out).at("taking_over"), Json(changes));
  const Result up = Srcsel({"up", "--cgroup", cgroup});
  ASSERT_TRUE(up.ok()) << up.ToString();
  for (const std::string &change : changes)
    for (const Result *said : {&plan, &up})
      EXPECT_THAT(said->err, HasSubstr("srcsel: warning: taking over: " + change + "\n"));
  KillFollower();
  const Result again = Srcsel({"up", "--policy", policy, "--cgroup", cgroup});
  ASSERT_TRUE(again.ok()) << again.ToString();
  EXPECT_THAT(again.err, ::testing::Not(HasSubstr("warning: taking over")));
}

// Of one namespace, rules that steer would stay in another for good.
TEST_F(UpProcessTest, AnotherTakesOverInAnotherNamespace) {
  const Words in_telecom{"up",
                         "--policy",
                         PolicyFile(kByMark),
                         "--cgroup",
                         cgroup_.path(),
                         "--netns",
                         lab_.host("telecom").netns().Path()};
  ASSERT_TRUE(Up(kByMark, {"-q", "--steer"}).ok());
  KillFollower();
  const Result refused = Srcsel(in_telecom);
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("ip rules of srcsel up --steer are in another network "
                                     "namespace: srcsel down removes them"));
  ASSERT_TRUE(Up(kByMark, {"-q"}).ok());
  KillFollower();
  const Result up = Srcsel(in_telecom);
  EXPECT_THAT(up.err, HasSubstr(absl::StrCat(
                          "warning: taking over: routes and rules are those of network namespace ",
                          in_telecom.back(), ", no longer those of another network namespace\n")));
}

// As if another srcsel had left it: what it remembers and counts means something else.
TEST_F(UpProcessTest, AnImageOfAnotherVersionIsNamedAndReplaced) {
  MustUp(kBySource);
  Process bound = Spawn({DIAL, "-u", "-b", kTelecomSource4, "-n", "3", "-w", kServer4, "53"});
  ASSERT_TRUE(bound.WaitForLine("10.0.0.1 ").ok());
  KillFollower();
  PutImageOfNextVersion();
  EXPECT_EQ(Source(), kTelecomSource4) << "the hooks leave alone what they do not understand";
  const Json status = Status();
  EXPECT_EQ(status.at("abi"), SRCSEL_ABI_VERSION + 1);
  EXPECT_THAT(status.at("trouble"), HasSubstr("are of another srcsel"));
  ASSERT_TRUE(Up(kBySource, {"-q"}).ok());
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  EXPECT_EQ(Status().at("trouble"), "");
}

TEST_F(UpProcessTest, InTheForegroundItTellsWhenItIsReady) {
  const std::string path = folder_.path() + "/notify";
  const Fd manager(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(manager.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
  const auto told = [&] {
    char text[256];
    const ssize_t size = recv(manager.get(), text, sizeof(text), 0);
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  };
  Command command = CommandOf(
      {SRCSEL, "up", "--foreground", "--policy", PolicyFile(kBySource), "--cgroup", cgroup_.path()},
      keeper_.path());
  command.env.push_back("NOTIFY_SOCKET=" + path);
  Process up = client_.Spawn(command).value();
  EXPECT_EQ(told(), "READY=1");
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
  EXPECT_THAT(told(), ::testing::StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  EXPECT_EQ(told(), "READY=1");
  ASSERT_TRUE(up.Signal(SIGTERM).ok());
  EXPECT_EQ(told(), "STOPPING=1");
  EXPECT_EQ(up.Wait().status, 0);
  ExpectNothingLeft();
}

TEST_F(UpProcessTest, ATrialEnds) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "1s"}).ok());
  const Json status = Status();
  EXPECT_TRUE(status.at("until").is_number());
  EXPECT_TRUE(WaitUntilEnded(status.at("pid").get<pid_t>()).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
  ExpectNothingLeft();
  EXPECT_EQ(Srcsel({"status"}).out, "nothing is up\n");
}

TEST_F(UpProcessTest, ATrialEndsAlsoIfItsProcessIsKilled) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "5s"}).ok());
  KillFollower();
  EXPECT_TRUE(keeper_.WaitUntilEmpty().ok());
  EXPECT_EQ(Source(), kTelecomSource4);
  ExpectNothingLeft();
}

// As if it waited for what is out of reach now.
TEST_F(UpProcessTest, ATrialEndsAlsoIfItsProcessIsStuck) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "1s"}).ok());
  ASSERT_EQ(kill(Status().at("pid").get<pid_t>(), SIGSTOP), 0);
  EXPECT_TRUE(keeper_.WaitUntilEmpty().ok());
  EXPECT_EQ(Source(), kTelecomSource4);
  ExpectNothingLeft();
}

TEST_F(UpProcessTest, ATrialThatNobodyIsLeftToEndIsNamed) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "3s"}).ok());
  for (const pid_t pid : keeper_.procs()) {
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    ASSERT_TRUE(WaitUntilEnded(pid).ok());
  }
  EXPECT_TRUE(Eventually([&] {
    return Status().at("trouble") == "the trial has run out, and nobody was left to end it";
  }));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  EXPECT_EQ(Status().at("remedy"), "srcsel down");
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
}

TEST_F(UpProcessTest, ATrialThatIsTakenOverAsItSaysIsOneAgain) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "1h"}).ok());
  KillFollower();
  const Json status = Status();
  EXPECT_EQ(status.at("remedy"), absl::StrCat("srcsel up --policy ", folder_.path(),
                                              "/p.toml --cgroup ", cgroup_.path(), " --try 3600s"));
  const Result up = Up(kBySource, {"-q", "--try", "3600s"});
  EXPECT_EQ(up.err, "") << "it changes nothing";
  EXPECT_TRUE(Status().at("until").is_number());
  ASSERT_TRUE(Srcsel({"confirm", "-q"}).ok());
  KillFollower();
  EXPECT_THAT(Status().at("remedy"), ::testing::Not(HasSubstr("--try")));
}

TEST_F(UpProcessTest, ATrialThatIsTakenOverByOtherWordsStays) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "1h"}).ok());
  KillFollower();
  const Result up = Up(kBySource, {"-q"});
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_EQ(up.err,
            "srcsel: warning: taking over: what was on trial stays up: give --try 3600s to try it "
            "on\n");
  EXPECT_TRUE(Status().at("until").is_null());
  EXPECT_TRUE(Eventually([&] { return keeper_.procs().size() == 1; })) << "two processes are left";
  EXPECT_EQ(Source(), kUnicomOtherSource4);
}

// What it was asked meanwhile, by who has given up, it does not do later.
TEST_F(UpProcessTest, OneThatIsStoppedIsNamed) {
  MustUp(kBySource);
  const auto pid = Status().at("pid").get<pid_t>();
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  const Json status = Status();
  EXPECT_EQ(status.at("following"), false);
  EXPECT_THAT(status.at("trouble"), HasSubstr("is stopped and does not answer"));
  EXPECT_EQ(status.at("remedy"), absl::StrCat("kill -CONT ", pid));
  for (const char *verb : {"reload", "down"}) {
    const Result asked = Srcsel({verb});
    EXPECT_EQ(asked.status, 1);
    EXPECT_THAT(asked.err,
                HasSubstr(absl::StrCat(pid, ", is stopped and does not answer: kill -CONT ", pid)));
  }
  ASSERT_EQ(kill(pid, SIGCONT), 0);
  EXPECT_TRUE(Srcsel({"reload", "-q"}).ok());
  EXPECT_EQ(Status().at("trouble"), "");
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  ASSERT_TRUE(WaitUntilEnded(pid).ok());
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  ExpectNothingLeft();
}

// More than the kernel lets wait.
TEST_F(UpProcessTest, OneThatIsStoppedIsNamedHoweverManyHaveAsked) {
  MustUp(kBySource);
  const auto pid = Status().at("pid").get<pid_t>();
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  (run_ + "/control").copy(address.sun_path, sizeof(address.sun_path) - 1);
  std::vector<Fd> waiting;
  do {
    waiting.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  } while (connect(waiting.back().get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) ==
           0);
  EXPECT_THAT(Srcsel({"down"}).err,
              HasSubstr(absl::StrCat(pid, ", is stopped and does not answer")));
  waiting.clear();
  ASSERT_EQ(kill(pid, SIGCONT), 0);
}

// One that begins as soon as the one before has let go.
TEST_F(UpProcessTest, DownDoesNotWaitForALaterOne) {
  MustUp(kBySource);
  const Fd changes(inotify_init1(IN_CLOEXEC));
  ASSERT_GE(inotify_add_watch(changes.get(), run_.c_str(), IN_DELETE), 0);
  Process down = client_.Spawn(CommandOf({SRCSEL, "down"}, keeper_.path())).value();
  char events[4096];
  while (std::filesystem::exists(run_ + "/lock"))
    ASSERT_GT(read(changes.get(), events, sizeof(events)), 0);
  const Fd later = TakeLock(OpenRunDirectory({run_, bpf_}).value()).value();
  EXPECT_EQ(down.Wait().err, "srcsel: down\n");
  EXPECT_TRUE(std::filesystem::remove(run_ + "/lock"));
}

TEST_F(UpProcessTest, AConfirmedTrialStays) {
  ASSERT_TRUE(Up(kBySource, {"-q", "--try", "1h"}).ok());
  EXPECT_EQ(Srcsel({"confirm"}).err, "srcsel: confirmed: stays up\n");
  EXPECT_TRUE(Status().at("until").is_null());
  EXPECT_TRUE(Eventually([&] { return keeper_.procs().size() == 1; })) << "two processes are left";
  const Result again = Srcsel({"confirm"});
  EXPECT_EQ(again.status, 1);
  EXPECT_EQ(again.err, "srcsel: there is nothing to confirm\n");
}

}  // namespace
}  // namespace srcsel::lab
