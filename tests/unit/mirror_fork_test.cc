#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "mirror_world.hh"

namespace srcsel {
namespace {

class MirrorAndFork : public MirrorTest, public testing::WithParamInterface<bool> {
 protected:
#ifdef __SANITIZE_THREAD__
  void SetUp() override {
    GTEST_SKIP() << "ThreadSanitizer has no threads started by the child of a threaded process";
  }
#endif

  // Whether all threads but this one wait for something to read.
  static bool OthersRest() {
    for (const auto &thread : std::filesystem::directory_iterator("/proc/self/task")) {
      if (thread.path().filename() == std::to_string(gettid())) continue;
      std::ifstream file(thread.path() / "wchan");
      std::string where;
      std::getline(file, where);
      if (where.find("poll") == std::string::npos) return false;
    }
    return true;
  }

  // The number of the first step that fails in a child; 0 if all is well.
  static int InChild(const std::vector<std::function<bool()>> &steps) {
    // Of a thread inside of malloc(), the child of gcc 12's AddressSanitizer inherits the lock.
    EXPECT_TRUE(ByItself(OthersRest));
    const pid_t child = fork();
    if (child == 0) {
      int failed = 0;
      for (std::size_t i = 0; i < steps.size() && failed == 0; ++i)
        if (!steps[i]()) failed = static_cast<int>(i) + 1;
      _exit(failed);
    }
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  static bool Follows(Mirror &mirror, const std::string &source) {
    const auto follows = [&] { return SourceOf(mirror, To(kFar4)) == source; };
    return mirror.fd() < 0 ? ByItself(follows) : Until(mirror, follows);
  }
  static bool Move(const std::string &source) {
    return std::system(
               absl::StrCat("ip route change default via 10.0.0.254 src ", source).c_str()) == 0;
  }
};

INSTANTIATE_TEST_SUITE_P(, MirrorAndFork, testing::Bool(),
                         [](const auto &mode) { return mode.param ? "Threadless" : "Threaded"; });

TEST_P(MirrorAndFork, AWorkerReopensWhatItsMasterHasOpened) {
  Ip("address add 10.0.0.9/24 dev v0");
  const auto mirror = Open({.threadless = GetParam()});
  const auto closed = [](const absl::Status &status) {
    return status.code() == absl::StatusCode::kFailedPrecondition;
  };
  EXPECT_EQ(InChild({
                [&] { return closed(mirror->Select(To(kFar4)).status()); },
                [&] { return closed(mirror->Process()) && closed(mirror->status().status); },
                [&] { return mirror->generation() == 0 && !mirror->current(); },
                [&] { return mirror->fd() == -1; },
                [&] { return mirror->Reopen().ok(); },
                [&] { return mirror->status().status.ok() && mirror->current(); },
                [&] { return SourceOf(*mirror, To(kFar4)) == "10.0.0.1"; },
                [&] { return Move("10.0.0.9") && Follows(*mirror, "10.0.0.9"); },
            }),
            0);
  EXPECT_TRUE(Follows(*mirror, "10.0.0.9")) << "the master hears what its worker has heard";
  EXPECT_TRUE(Move("10.0.0.1") && Follows(*mirror, "10.0.0.1"));
}

TEST_P(MirrorAndFork, ReopeningIsNothingElsewhere) {
  const auto mirror = Open({.threadless = GetParam()});
  const int fd = mirror->fd();
  EXPECT_TRUE(mirror->Reopen().ok());
  EXPECT_EQ(mirror->fd(), fd);
  EXPECT_EQ(mirror->generation(), 1u);
}

TEST_P(MirrorAndFork, AChildMayCloseIt) {
  auto mirror = Open({.threadless = GetParam()});
  EXPECT_EQ(InChild({[&] {
              mirror.reset();
              return true;
            }}),
            0);
  EXPECT_TRUE(Move("10.0.0.1"));
  EXPECT_TRUE(Follows(*mirror, "10.0.0.1"));
}

TEST_P(MirrorAndFork, EachWorkerMayOpenItsOwn) {
  EXPECT_EQ(InChild({[&] {
              const auto mirror = Open({.threadless = GetParam()});
              return SourceOf(*mirror, To(kFar4)) == "10.0.0.1";
            }}),
            0);
}

}  // namespace
}  // namespace srcsel
