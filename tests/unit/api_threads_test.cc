// One handle of the C API, used by several threads while another has it follow.

#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "api_world.hh"

namespace srcsel {
namespace {

using testing::AnyOf;
using testing::Eq;

class ApiThreadsTest : public ApiTest {
 protected:
  // Changes the source of table 100, and follows until that is known.
  void ChangeSource(const std::string &source) {
    const std::uint64_t before = srcsel_generation(mirror_);
    Ip("route change default via 10.1.0.254 dev v1 src " + source + " table 100");
    do {
      pollfd one{srcsel_fd(mirror_), POLLIN, 0};
      ASSERT_EQ(poll(&one, 1, 10000), 1);
      ASSERT_EQ(srcsel_process(mirror_), 0) << srcsel_last_error();
    } while (srcsel_generation(mirror_) == before || !srcsel_current(mirror_));
  }

  // What a thread does over and over; each answer and each socket has one of the two sources.
  void SelectsAndPrepares(std::uint64_t &generation) {
    srcsel_answer answer = Answer();
    const srcsel_question question = Question(kFar4, 100);
    ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0) << srcsel_last_error();
    EXPECT_THAT(Text(answer.outcome.source), AnyOf(Eq("10.1.0.1"), Eq("10.1.0.9")));
    EXPECT_GE(answer.generation, generation);
    generation = answer.generation;

    const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const srcsel_sockaddr to = Sockaddr(kFar4, 80);
    srcsel_prepare_options options{};
    options.size = sizeof(options);
    options.mark = 100;
    options.flags = SRCSEL_PREPARE_BIND;
    ASSERT_EQ(srcsel_prepare(mirror_, fd.get(), &to.any, sizeof(to), &options, nullptr),
              static_cast<int>(SRCSEL_SET_SOURCE))
        << srcsel_last_error();
    srcsel_sockaddr name{};
    socklen_t size = sizeof(name);
    ASSERT_EQ(getsockname(fd.get(), &name.any, &size), 0);
    EXPECT_THAT(Text(name), AnyOf(Eq("10.1.0.1"), Eq("10.1.0.9")));
  }
};

TEST_F(ApiThreadsTest, FourSelectAndPrepareWhileOneProcesses) {
  Ip("address add 10.1.0.9/24 dev v1");
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> rounds = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (std::uint64_t generation = 0; !done && !HasFatalFailure(); ++rounds)
        SelectsAndPrepares(generation);
    });
  for (int i = 0; i < 20 && !HasFatalFailure(); ++i) ChangeSource(i % 2 ? "10.1.0.1" : "10.1.0.9");
  done = true;
  for (std::thread &thread : threads) thread.join();
  EXPECT_GE(srcsel_generation(mirror_), 20u);
  EXPECT_GT(rounds, 4u);
}

// Each thread has a sentence for its own last error.
TEST_F(ApiThreadsTest, ErrorsAreTheThreadsOwn) {
  EXPECT_EQ(srcsel_fd(nullptr), -EBADF);
  const std::string mine = srcsel_last_error();
  std::thread([&] {
    srcsel_question question = Question(kFar4);
    question.size = 1;
    EXPECT_EQ(Select(question), -EINVAL);
    EXPECT_NE(srcsel_last_error(), mine);
  }).join();
  EXPECT_EQ(srcsel_last_error(), mine);
}

}  // namespace
}  // namespace srcsel
