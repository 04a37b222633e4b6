// A run leaves nothing behind, however it ends: neither cgroup nor program nor process.

#include <signal.h>
#include <sys/file.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "lab/run_custody.hh"
#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class RunCleanupTest : public RunTest {
 protected:
  // Dials once a line, for as long as one likes.
  static Words Dialling() { return {DIAL, "-u", "-w", "-n", "1000000", kServer4, "53"}; }

  // A run in progress, and what there is of it.
  struct Progress {
    Process process;
    std::string cgroup;
    pid_t custodian;
    std::set<std::uint32_t> programs;
  };

  Progress Start(const Words &command, const std::string &first_line) {
    Process process = Spawn(kMark, command);
    EXPECT_THAT(process.WaitForLine("").value(), StartsWith(first_line));
    const std::string path = RunCgroupPath();
    Progress progress{std::move(process), path, FindCustodian(cgroup_).value(),
                      ProgramIds(path).value()};
    EXPECT_THAT(progress.programs, SizeIs(4));
    return progress;
  }

  void ExpectGone(const Progress &run) {
    EXPECT_TRUE(cgroup_.WaitUntilChildless().ok());
    EXPECT_TRUE(WaitUntilEnded(run.custodian).ok());
    EXPECT_TRUE(WaitUntilUnloaded(run.programs).ok());
  }
};

TEST_F(RunCleanupTest, CgroupProgramsAndCustodianGoWithTheCommand) {
  Progress run = Start(Dialling(), "10.1.0.1 ");
  run.process.CloseInput();
  EXPECT_TRUE(run.process.Wait().ok());
  ExpectGone(run);
}

TEST_F(RunCleanupTest, TheyGoWhenTheCommandIsKilled) {
  Progress run = Start(Dialling(), "10.1.0.1 ");
  ASSERT_TRUE(run.process.Signal(SIGKILL).ok());
  EXPECT_EQ(run.process.Wait().signal, SIGKILL);
  ExpectGone(run);
}

TEST_F(RunCleanupTest, TheyGoWhenTheCommandCouldNotBeRun) {
  EXPECT_EQ(Run(kMark, {"no-such-command"}).status, 127);
  EXPECT_TRUE(cgroup_.WaitUntilChildless().ok());
  EXPECT_TRUE(cgroup_.WaitUntilEmpty().ok()) << "a custodian is left";
}

// The child reads its lines from the run's stdin after the shell has gone.
TEST_F(RunCleanupTest, TheyStayForAChildLeftBehind) {
  const std::string script =
      absl::StrCat("exec 3<&0; ", absl::StrJoin(Dialling(), " "), " <&3 & exec 3<&-");
  Process shell = Spawn(kMark, {"sh", "-c", script});
  EXPECT_TRUE(shell.Wait().ok());
  const std::string path = RunCgroupPath();
  const pid_t custodian = FindCustodian(cgroup_).value();
  const auto marked = [&] { return CountersOf(path).value()[SRCSEL_WHY_MARK]; };
  EXPECT_TRUE(Eventually([&] { return marked() == 1; }));
  ASSERT_TRUE(shell.Write("again\n").ok());
  EXPECT_TRUE(Eventually([&] { return marked() == 2; }));
  shell.CloseInput();
  EXPECT_TRUE(WaitUntilEnded(custodian).ok());
  EXPECT_TRUE(cgroup_.WaitUntilChildless().ok());
}

TEST_F(RunCleanupTest, CgroupsThatTheCommandMadeGoFirst) {
  const std::string script =
      "own=$0/$(ls $0 | grep srcsel-run-); mkdir -p $own/a/b $own/c; echo 0 > "
      "$own/a/b/cgroup.procs;"
      "grep -o 'srcsel-run-.*' /proc/self/cgroup";
  const Result shell = Run(kMark, {"sh", "-c", script, cgroup_.path()});
  EXPECT_THAT(shell.out, testing::EndsWith("/a/b\n")) << shell.ToString();
  EXPECT_TRUE(cgroup_.WaitUntilChildless().ok());
}

TEST_F(RunCleanupTest, TheCustodianIsNoRelativeAndHoldsNothingOfTheCallers) {
  Process shell = Spawn(
      kMark,
      {"sh", "-c", "echo $PPID; read all </proc/$$/task/$$/children; echo children $all; read l"});
  EXPECT_EQ(shell.WaitForLine("").value(), absl::StrCat(getpid()));
  EXPECT_EQ(shell.WaitForLine("").value(), "children");
  const std::string custodian = absl::StrCat("/proc/", FindCustodian(cgroup_).value());
  const Words standard{"readlink", custodian + "/fd/0", custodian + "/fd/1", custodian + "/fd/2",
                       custodian + "/cwd"};
  EXPECT_TRUE(
      Eventually([&] { return RunPlain(standard).out == "/dev/null\n/dev/null\n/dev/null\n/\n"; }));
  const Result all = RunPlain({"ls", "-l", custodian + "/fd"});
  EXPECT_THAT(all.out, Not(HasSubstr("pipe:"))) << all.err;
}

// The child keeps the cgroup, and so the custodian; the pipe must end all the same.
TEST_F(RunCleanupTest, APipeEndsWithTheCommand) {
  const std::string script = absl::StrCat(SRCSEL, " run -q --mark 100 -- sh -c ",
                                          "'sleep 1000 <&- >&- 2>&- 7>&- & echo done' 7>&1 | cat");
  const Result pipeline = RunPlain({"sh", "-c", script});
  EXPECT_EQ(pipeline.out, "done\n") << pipeline.ToString();
  const std::string run = RunCgroupPath();
  EXPECT_TRUE(FindCustodian(cgroup_).ok());
  EXPECT_TRUE(RunPlain({"sh", "-c", "echo 1 > " + run + "/cgroup.kill"}).ok());
}

class RunAbandonedTest : public RunCleanupTest {
 protected:
  // The run's cgroup, locked so that no other srcsel on this machine sweeps it up meanwhile.
  static Fd Lock(const std::string &path) {
    Fd fd = OpenCgroup(path).value();
    EXPECT_EQ(flock(fd.get(), LOCK_SH), 0);
    return fd;
  }

  static void KillCustodian(const Progress &run) {
    ASSERT_EQ(kill(run.custodian, SIGKILL), 0);
    ASSERT_TRUE(WaitUntilEnded(run.custodian).ok());
  }
};

TEST_F(RunAbandonedTest, HooksWorkOnWithoutACustodian) {
  Progress run = Start(Dialling(), "10.1.0.1 ");
  KillCustodian(run);
  ASSERT_TRUE(run.process.Write("again\n").ok());
  EXPECT_THAT(run.process.WaitForLine("").value(), StartsWith("10.1.0.1 "));
  EXPECT_EQ(ProgramIds(run.cgroup).value(), run.programs);
  run.process.CloseInput();
  EXPECT_TRUE(run.process.Wait().ok());
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
}

TEST_F(RunAbandonedTest, TheNextRunSweepsUp) {
  Progress run = Start(Dialling(), "10.1.0.1 ");
  KillCustodian(run);
  const Fd lock = Lock(run.cgroup);
  run.process.CloseInput();
  EXPECT_TRUE(run.process.Wait().ok());
  EXPECT_THAT(cgroup_.children(), SizeIs(1));
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
  EXPECT_THAT(cgroup_.children(),
              testing::Contains(testing::EndsWith(run.cgroup.substr(run.cgroup.rfind('/') + 1))))
      << "somebody holds it, and it was swept";
  ASSERT_EQ(flock(lock.get(), LOCK_UN), 0);
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
  ExpectGone(run);
}

TEST_F(RunAbandonedTest, ARunInProgressIsNotSweptUp) {
  Progress run = Start(Dialling(), "10.1.0.1 ");
  KillCustodian(run);
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
  EXPECT_EQ(ProgramIds(run.cgroup).value(), run.programs);
  ASSERT_TRUE(run.process.Write("again\n").ok());
  EXPECT_THAT(run.process.WaitForLine("").value(), StartsWith("10.1.0.1 "));
  run.process.CloseInput();
  EXPECT_TRUE(run.process.Wait().ok());
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
}

TEST_F(RunAbandonedTest, CgroupsOfACommandInProgressAreNotSweptUp) {
  Progress run = Start({"sh", "-c", "echo ready; read line"}, "ready");
  ASSERT_TRUE(RunPlain({"mkdir", run.cgroup + "/own"}).ok());
  KillCustodian(run);
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
  EXPECT_TRUE(RunPlain({"test", "-d", run.cgroup + "/own"}).ok());
  run.process.CloseInput();
  run.process.Wait();
  EXPECT_TRUE(Run(kMark, {"true"}).ok());
}

}  // namespace
}  // namespace srcsel::lab
