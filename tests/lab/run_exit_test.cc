// The command is itself: its process, its end, its streams, its environment. srcsel only was there
// before it.

#include <signal.h>

#include "absl/strings/str_cat.h"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RunExitTest : public RunTest {
 protected:
  Result RunShell(const std::string &script) { return Run(kMark, {"sh", "-c", script}); }

  void ExpectAsWithout(const Words &command) {
    const Result plain = RunPlain(command);
    ASSERT_TRUE(plain.ok()) << plain.ToString();
    EXPECT_EQ(Run(kMark, command).out, plain.out);
  }
};

TEST_F(RunExitTest, StatusIsTheCommands) {
  for (const int status : {0, 1, 2, 42, 124, 125, 126, 127, 128, 255})
    EXPECT_EQ(RunShell(absl::StrCat("exit ", status)).status, status);
}

TEST_F(RunExitTest, ASignalEndsTheCommandAndIsSeen) {
  for (const int signal : {SIGTERM, SIGKILL, SIGINT})
    EXPECT_EQ(RunShell(absl::StrCat("kill -", signal, " $$")).signal, signal);
}

TEST_F(RunExitTest, AShellSeesTheSignalAsEver) {
  const Result shell = RunPlain({"sh", "-c",
                                 absl::StrCat(SRCSEL,
                                              " run -q --mark 100 -- sh -c 'kill -TERM $$'"
                                              "; echo $?")});
  EXPECT_THAT(shell.out, HasSubstr(absl::StrCat(128 + SIGTERM, "\n")));
}

TEST_F(RunExitTest, SignalsReachTheCommandWhichHasTheSameProcess) {
  Process shell = Spawn(kMark, {"sh", "-c", "trap 'echo caught; exit 9' TERM; echo $$; read line"});
  EXPECT_EQ(shell.WaitForLine("").value(), absl::StrCat(shell.pid()));
  ASSERT_TRUE(shell.Signal(SIGTERM).ok());
  EXPECT_TRUE(shell.WaitForLine("caught").ok());
  EXPECT_EQ(shell.Wait().status, 9);
}

TEST_F(RunExitTest, TheParentIsTheCallers) {
  Process shell = Spawn(kMark, {"sh", "-c", "echo $PPID; read line"});
  EXPECT_EQ(shell.WaitForLine("").value(), absl::StrCat(getpid()));
}

TEST_F(RunExitTest, StreamsPassThrough) {
  Command command = Srcsel(kMark, {"sh", "-c", "cat; echo complaint >&2"});
  command.input = "question\n";
  const Result result = client_.Run(command).value();
  EXPECT_EQ(result.out, "question\n");
  EXPECT_EQ(result.err, "complaint\n");
}

TEST_F(RunExitTest, OneBannerOnStderrTellsWhatWasSetUp) {
  const Result result = RunPlain({SRCSEL, "run", "--mark", "100", "--", "echo", "answer"});
  EXPECT_EQ(result.out, "answer\n");
  EXPECT_EQ(result.err, "srcsel: mark 0x64, via bpf: echo\n");
  const Result source = RunPlain({SRCSEL, "run", "--source", "dev eth1", "echo", "answer"});
  EXPECT_EQ(source.err, "srcsel: source dev eth1, via bpf: echo\n");
}

TEST_F(RunExitTest, ArgumentsAndEnvironmentAreUnchanged) {
  EXPECT_EQ(Run(kMark, {"printf", "%s|", "a b", "", "--mark", "7", "-q", "--"}).out,
            "a b||--mark|7|-q|--|");
  ExpectAsWithout({"cat", "/proc/self/environ"});
  ExpectAsWithout({"cat", "/proc/self/cmdline"});
  ExpectAsWithout({"pwd"});
}

TEST_F(RunExitTest, OptionsAfterTheCommandAreTheCommands) {
  const Result result = RunPlain({SRCSEL, "run", "-q", "--mark", "100", "echo", "--mark", "-q"});
  EXPECT_EQ(result.out, "--mark -q\n") << result.ToString();
}

TEST_F(RunExitTest, SignalDispositionsAndMaskAreInherited) {
  const Words env{"env", "--ignore-signal=HUP", "--block-signal=USR1"};
  const Words show{"grep", "-E", "^(Sig(Blk|Ign|Cgt)|NoNewPrivs|Seccomp):", "/proc/self/status"};
  Words plain = env, under = env;
  plain.insert(plain.end(), show.begin(), show.end());
  const Command srcsel = Srcsel(kMark, show);
  under.insert(under.end(), srcsel.argv.begin(), srcsel.argv.end());
  const Result expected = RunPlain(plain);
  EXPECT_THAT(expected.out, HasSubstr("SigIgn:\t0000000000000001\n"));
  EXPECT_EQ(RunPlain(under).out, expected.out);
}

TEST_F(RunExitTest, LimitsAndSchedulingAreInherited) {
  ExpectAsWithout({"cat", "/proc/self/limits"});
  ExpectAsWithout({"sh", "-c", "umask; nice"});
}

TEST_F(RunExitTest, NoDescriptorIsAddedOrTaken) {
  ExpectAsWithout({"ls", "/proc/self/fd"});
  const std::string keep = "exec 7</dev/zero 9>/dev/full; exec ";
  const std::string list = "readlink /proc/self/fd/7 /proc/self/fd/9";
  EXPECT_EQ(RunPlain({"sh", "-c", absl::StrCat(keep, SRCSEL, " run -q --mark 100 -- ", list)}).out,
            "/dev/zero\n/dev/full\n");
}

TEST_F(RunExitTest, AClosedStreamStaysClosed) {
  const Result result = RunPlain(
      {"sh", "-c", absl::StrCat("exec ", SRCSEL, " run -q --mark 100 -- ls /proc/self/fd <&-")});
  EXPECT_EQ(result.out, RunPlain({"sh", "-c", "exec ls /proc/self/fd <&-"}).out);
}

TEST_F(RunExitTest, ACommandThatCannotBeRun) {
  const Result missing = Run(kMark, {"no-such-command"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(missing.err, "srcsel: run no-such-command: No such file or directory\n");
  EXPECT_THAT(missing.out, IsEmpty());

  const TempDir files = TempDir::Make().value();
  ASSERT_TRUE(files.Write("data", "not a program\n").ok());
  const Result data = Run(kMark, {files.path() + "/data"});
  EXPECT_EQ(data.status, 126);
  EXPECT_THAT(data.err, HasSubstr("data: Permission denied\n"));
  EXPECT_EQ(Run(kMark, {files.path()}).status, 126);
}

TEST_F(RunExitTest, HelpIsNoError) {
  const Result help = RunPlain({SRCSEL, "run", "--help"});
  EXPECT_TRUE(help.ok());
  EXPECT_THAT(help.out, HasSubstr("--mark"));
  EXPECT_THAT(help.err, IsEmpty());
  EXPECT_THAT(RunPlain({SRCSEL, "--version"}).out, StartsWith("srcsel "));
}

}  // namespace
}  // namespace srcsel::lab
