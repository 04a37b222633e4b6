// What the kernel refuses, or a caller may not do: one line, status 125, and no cgroup, at
// whichever step it happens.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "lab/run_custody.hh"
#include "lab/run_neighbour.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RunRefusedTest : public RunTest {
 protected:
  // The command behind others that change how it is run: setpriv, prlimit, sh -c '... "$@"'.
  Result RunBehind(Words before, const Words &command = {"true"}) const {
    const Command srcsel = Srcsel(kMark, command);
    before.insert(before.end(), srcsel.argv.begin(), srcsel.argv.end());
    return RunPlain(before);
  }

  Result RunAfter(const std::string &script, const Words &command = {"true"}) const {
    return RunBehind({"sh", "-c", absl::StrCat(script, "; exec \"$@\""), "sh"}, command);
  }
};

TEST_F(RunRefusedTest, RootWithoutCapabilities) {
  ExpectRefused(
      RunBehind({"setpriv", "--bounding-set=-bpf,-sys_admin,-net_admin,-perfmon"}),
      {"load BPF programs", "Operation not permitted", "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"});
}

TEST_F(RunRefusedTest, RootWithoutTheRightToEnterANamespace) {
  const Command srcsel = Srcsel({"--netns", client_.netns().Path(), "--mark", "100"}, {"true"});
  Words words{"setpriv", "--bounding-set=-sys_admin"};
  words.insert(words.end(), srcsel.argv.begin(), srcsel.argv.end());
  ExpectRefused(RunPlain(words), {"enter network namespace", "Operation not permitted"});
}

TEST_F(RunRefusedTest, AnOrdinaryUser) {
  const Words nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
  Words version = nobody;
  version.insert(version.end(), {SRCSEL, "--version"});
  if (!RunPlain(version).ok()) GTEST_SKIP() << "nobody may not read " << SRCSEL;
  ExpectRefused(RunBehind(nobody), {"Operation not permitted", "run as root"});
}

TEST_F(RunRefusedTest, NoMountOfCgroup2AndNoRightToMakeOne) {
  const std::string hide = "umount -a -t cgroup2; mount -t tmpfs none /sys/fs/cgroup";
  ExpectRefused(RunBehind({"unshare", "--mount", "sh", "-c",
                           hide + "; exec setpriv --bounding-set=-sys_admin \"$@\"", "sh"}),
                {"find cgroup v2", "Operation not permitted", "mount -t cgroup2"});
}

TEST_F(RunRefusedTest, AKernelWithoutCgroup2) {
  ExpectRefused(RunBehind({"unshare", "--mount", "sh", "-c",
                           "mount --bind /dev/null /proc/$$/cgroup; exec \"$@\"", "sh"}),
                {"find cgroup v2", "0::"});
}

TEST_F(RunRefusedTest, ACgroupThatMayHaveNoneBelow) {
  const std::string file = cgroup_.path() + "/cgroup.max.descendants";
  ExpectRefused(RunAfter("echo 0 > " + file),
                {"make cgroup", file + " allows 0", "echo max > " + file});
}

TEST_F(RunRefusedTest, ACgroupAboveThatAllowsNoMoreOrNoneSoDeep) {
  const std::string leaf = cgroup_.path() + "/leaf";
  for (const char *limit : {"cgroup.max.descendants", "cgroup.max.depth"}) {
    const std::string file = absl::StrCat(cgroup_.path(), "/", limit);
    ExpectRefused(RunAfter(absl::StrCat("mkdir ", leaf, "; echo 0 > ", leaf,
                                        "/cgroup.procs; echo 1 > ", file)),
                  {"make cgroup", file + " allows 1", "echo max > " + file});
    EXPECT_TRUE(RunPlain({"sh", "-c", absl::StrCat("rmdir ", leaf, "; echo max > ", file)}).ok());
  }
}

TEST_F(RunRefusedTest, AProgramAboveThatToleratesNone) {
  const Neighbour neighbour = Neighbour::Load().value();
  ASSERT_TRUE(neighbour.Attach(OpenCgroup(cgroup_.path()).value(), 0).ok());
  ExpectRefused(RunBehind({}), {"attach", "Operation not permitted", "another program"});
  EXPECT_THAT(RunPlain({DIAL, "-u", kServer4, "53"}).out, StartsWith("10.0.0.1 "));
  EXPECT_EQ(neighbour.Count().value(), 1);
}

// Below a threaded cgroup a new one is of a kind that no process can join.
TEST_F(RunRefusedTest, ACgroupThatCannotBeJoined) {
  const std::string path = cgroup_.path() + "/domain";
  const Result run = RunAfter(absl::StrCat(
      "mkdir -p ", path, "/thread; echo threaded > ", path, "/thread/cgroup.type; echo 0 > ", path,
      "/cgroup.procs; echo 0 > ", path, "/thread/cgroup.procs"));
  ExpectRefused(run, {"join cgroup", "not supported"});
  EXPECT_THAT(RunPlain({"find", path + "/thread", "-name", "srcsel-run-*"}).out, IsEmpty());
  ASSERT_TRUE(cgroup_.WaitUntilEmpty().ok());  // the custodian's end comes after
  EXPECT_TRUE(RunPlain({"rmdir", path + "/thread", path}).ok());
}

// So many descriptors and no more: every step that takes one fails in turn. With fewer than six, a
// sanitizer cannot work; those that whoever started the test left open would count as well.
TEST_F(RunRefusedTest, TooFewDescriptorsForAnyOfTheSteps) {
  const std::string close = "exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-";
  std::string steps;
  bool works = false;
  for (int limit = 6; limit < 64 && !works; ++limit) {
    const Result run = RunAfter(absl::StrCat(close, "; ulimit -n ", limit), {"echo", "ran"});
    works = run.out == "ran\n";
    if (works) break;
    EXPECT_THAT(run.status, AnyOf(125, 127)) << limit << ": " << run.ToString();
    EXPECT_LE(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
    EXPECT_TRUE(cgroup_.WaitUntilChildless(10s).ok()) << limit << ": " << run.err;
    absl::StrAppend(&steps, limit, ": ", run.err);
  }
  EXPECT_TRUE(works);
  EXPECT_THAT(steps, AllOf(HasSubstr("cgroup"), HasSubstr("BPF")));
  RecordProperty("steps", steps);
}

}  // namespace
}  // namespace srcsel::lab
