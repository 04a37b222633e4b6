#include "lab/cgroup.hh"

#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "agent/cgroup_path.hh"
#include "base/cgroup_root.hh"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/process.hh"

namespace srcsel::lab {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TestCgroup, HoldsACommandFromItsStart) {
  const TestCgroup cgroup = TestCgroup::Create().value();
  const Result result =
      RunCommand({.argv = {"grep", "^0::", "/proc/self/cgroup"}, .cgroup = cgroup.path()}).value();
  EXPECT_TRUE(result.out.ends_with(cgroup.path().substr(cgroup.path().rfind('/')) + "\n"))
      << result.out;

  const Process sleeper =
      Process::Start({.argv = {"sleep", "1000"}, .cgroup = cgroup.path()}).value();
  EXPECT_THAT(cgroup.procs(), ElementsAre(sleeper.pid()));
  EXPECT_EQ(cgroup.WaitUntilEmpty(10ms).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(TestCgroup, GoesWithAllThatIsInIt) {
  std::string path;
  Process inner = [&] {
    const TestCgroup cgroup = TestCgroup::Create().value();
    path = cgroup.path();
    const std::string below = path + "/below";
    EXPECT_EQ(mkdir(below.c_str(), 0755), 0);
    EXPECT_THAT(cgroup.children(), ElementsAre("below"));
    return Process::Start({.argv = {"sleep", "1000"}, .cgroup = below}).value();
  }();
  EXPECT_EQ(inner.Wait().signal, SIGKILL);
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

// As one asks who is not root, of a cgroup that is not for everybody to read.
TEST(IsInCgroup, NeedsNoRightToReadIt) {
  const TestCgroup cgroup = TestCgroup::Create().value();
  const Process sleeper =
      Process::Start({.argv = {"sleep", "1000"}, .cgroup = cgroup.path()}).value();
  const std::string path = CgroupOf(sleeper.pid()).value();
  ASSERT_EQ(chmod(cgroup.path().c_str(), 0700), 0);
  std::thread([&] {
    setfsuid(65534);  // of this thread alone
    EXPECT_FALSE(srcsel::OpenCgroup(path).ok());
    EXPECT_TRUE(IsInCgroup(path, path));
    EXPECT_TRUE(IsInCgroup(path, cgroup.path()));
    EXPECT_FALSE(IsInCgroup("/", path));
  }).join();
}

TEST(TestCgroup, SeesTheLastChildGo) {
  const TestCgroup cgroup = TestCgroup::Create().value();
  const std::string below = cgroup.path() + "/below";
  ASSERT_EQ(mkdir(below.c_str(), 0755), 0);
  EXPECT_EQ(cgroup.WaitUntilChildless(10ms).code(), absl::StatusCode::kDeadlineExceeded);
  std::thread remover([&] { EXPECT_EQ(rmdir(below.c_str()), 0); });
  EXPECT_TRUE(cgroup.WaitUntilChildless().ok());
  remover.join();
  EXPECT_THAT(cgroup.children(), IsEmpty());
  EXPECT_TRUE(cgroup.exists());
}

}  // namespace
}  // namespace srcsel::lab
