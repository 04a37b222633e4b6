#include "lab/process.hh"

#include <signal.h>

#include <cerrno>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace srcsel::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

bool Exists(pid_t pid) {
  return kill(pid, 0) == 0 || errno != ESRCH;
}

TEST(RunCommand, KeepsOutputAndStatus) {
  const Result result =
      RunCommand({.argv = {"sh", "-c", "cat; echo complaint >&2; exit 7"}, .input = "question\n"})
          .value();
  EXPECT_EQ(result.status, 7);
  EXPECT_EQ(result.out, "question\n");
  EXPECT_EQ(result.err, "complaint\n");
  EXPECT_FALSE(result.ok());
}

TEST(RunCommand, TellsTheSignal) {
  const Result result = RunCommand({.argv = {"sh", "-c", "kill -TERM $$"}}).value();
  EXPECT_EQ(result.signal, SIGTERM);
  EXPECT_EQ(result.status, -1);
}

TEST(RunCommand, KillsAtTheDeadline) {
  const Result result =
      RunCommand({.argv = {"sh", "-c", "echo $$; exec sleep 1000"}}, 200ms).value();
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(Exists(std::stoi(result.out)));
}

TEST(RunCommand, TakesMoreOutputThanAPipeHolds) {
  const Result result = RunCommand({.argv = {"head", "-c", "1000000", "/dev/zero"}}).value();
  EXPECT_EQ(result.out.size(), 1000000);
}

TEST(RunCommand, ReplacesVariablesAndDirectory) {
  ASSERT_EQ(setenv("LAB_TEST", "old", 1), 0);
  const Result result =
      RunCommand({.argv = {"sh", "-c", "echo $LAB_TEST; env | grep -c LAB_TEST; pwd"},
                  .env = {"LAB_TEST=new"},
                  .cwd = "/usr"})
          .value();
  EXPECT_EQ(result.out, "new\n1\n/usr\n");
}

TEST(RunCommand, NamesTheStepThatFailed) {
  EXPECT_THAT(RunCommand({.argv = {"no-such-program"}}).status().message(),
              HasSubstr("execute no-such-program: No such file"));
  EXPECT_THAT(RunCommand({.argv = {"true"}, .cwd = "/no/such"}).status().message(),
              HasSubstr("enter directory /no/such: No such file"));
  EXPECT_THAT(RunCommand({.argv = {"true"}, .cgroup = "/no/such"}).status().message(),
              HasSubstr("join cgroup /no/such: No such file"));
  EXPECT_THAT(RunCommand({.argv = {"true"}, .netns = 0}).status().message(),
              HasSubstr("enter network namespace"));
}

TEST(Process, IsWrittenToAndRead) {
  Process process =
      Process::Start({.argv = {"sh", "-c", "while read l; do echo got $l; done"}}).value();
  ASSERT_TRUE(process.Write("one\ntwo\n").ok());
  EXPECT_EQ(process.WaitForLine("two").value(), "got two");
  process.CloseInput();
  EXPECT_TRUE(process.Wait().ok());
}

TEST(Process, EndsAWaitWhenItEnds) {
  Process process = Process::Start({.argv = {"sh", "-c", "echo last words >&2; exit 3"}}).value();
  EXPECT_THAT(process.WaitForLine("never").status().message(), HasSubstr("last words"));
  EXPECT_EQ(process.Wait().status, 3);
  EXPECT_TRUE(process.Write("too late\n").ok());
}

TEST(Process, IsSignalled) {
  Process process = Process::Start({.argv = {"sleep", "1000"}}).value();
  EXPECT_TRUE(process.Wait(0ms).timed_out);
  ASSERT_TRUE(process.Signal(SIGINT).ok());
  EXPECT_EQ(process.Wait().signal, SIGINT);
  EXPECT_FALSE(process.Signal(SIGINT).ok());
}

TEST(Process, DiesWithItsOwner) {
  pid_t pid;
  {
    Process first = Process::Start({.argv = {"sleep", "1000"}}).value();
    const Process second = std::move(first);
    pid = second.pid();
    EXPECT_TRUE(Exists(pid));
  }
  EXPECT_FALSE(Exists(pid));
}

}  // namespace
}  // namespace srcsel::lab
