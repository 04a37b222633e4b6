#include "base/published.hh"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace srcsel {
namespace {

// Says whether it is whole, and counts itself.
class Value {
 public:
  static inline std::atomic<int> alive = 0;

  explicit Value(int number) { alive += 1, numbers_.fill(number); }
  Value(const Value &) = delete;
  Value &operator=(const Value &) = delete;
  ~Value() { alive -= 1, numbers_.fill(-1); }

  int number() const { return numbers_.front(); }
  bool IsWhole() const {
    for (const int number : numbers_)
      if (number != numbers_.front() || number < 0) return false;
    return true;
  }

 private:
  std::array<int, 16> numbers_;
};

std::unique_ptr<const Value> Make(int number) {
  return std::make_unique<const Value>(number);
}

TEST(Published, IsNothingAtFirst) {
  const Published<Value> published;
  EXPECT_FALSE(published.Read());
  EXPECT_EQ(published.current(), nullptr);
}

TEST(Published, ReadersSeeTheLastOne) {
  Published<Value> published;
  for (const int number : {1, 2, 3}) {
    published.Replace(Make(number));
    EXPECT_EQ(published.Read()->number(), number);
    EXPECT_EQ(published.current()->number(), number);
  }
  EXPECT_TRUE(published.Collect());
  EXPECT_EQ(Value::alive, 1);
}

TEST(Published, KeepsWhatIsRead) {
  Published<Value> published;
  published.Replace(Make(1));
  {
    auto first = published.Read();
    const auto moved = std::move(first);
    published.Replace(Make(2));
    const auto second = published.Read();
    published.Replace(Make(3));
    EXPECT_FALSE(published.Collect());
    EXPECT_EQ(Value::alive, 3);
    EXPECT_EQ(moved->number(), 1);
    EXPECT_EQ(second->number(), 2);
  }
  EXPECT_TRUE(published.Collect());
  EXPECT_EQ(Value::alive, 1);
}

TEST(Published, NewcomersDoNotHoldUpTheWriter) {
  Published<Value> published;
  published.Replace(Make(1));
  auto reading = std::make_unique<Published<Value>::Reading>(published.Read());
  published.Replace(Make(2));
  // There is a reader at any time, and never one of the first value after the first round.
  for (int i = 0; i < 3; ++i) {
    auto next = std::make_unique<Published<Value>::Reading>(published.Read());
    reading = std::move(next);
    published.Collect();
  }
  EXPECT_TRUE(published.Collect());
  EXPECT_EQ(Value::alive, 1);
}

TEST(Published, NoReaderSeesADeadOne) {
  constexpr int kRounds = 20000;
  Published<Value> published;
  published.Replace(Make(0));
  std::atomic<bool> done = false;
  std::atomic<int> broken = 0, backwards = 0, readings = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      int last = 0;
      while (!done) {
        const auto reading = published.Read();
        if (!reading->IsWhole()) ++broken;
        if (reading->number() < last) ++backwards;
        last = reading->number();
        ++readings;
      }
    });
  for (int number = 1; number <= kRounds || readings < kRounds; ++number)
    published.Replace(Make(number));
  done = true;
  for (std::thread &reader : readers) reader.join();
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(backwards, 0);
  EXPECT_TRUE(published.Collect());
  EXPECT_EQ(Value::alive, 1);
}

TEST(Published, AChildFindsNothingUntilItIsReplaced) {
  Published<Value> published;
  published.Replace(Make(1));
  const pid_t child = fork();
  if (child == 0) {
    if (published.Read()) _exit(1);
    published.Replace(Make(2));
    _exit(published.Read() && published.Collect() ? 0 : 2);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(published.Read()->number(), 1);
}

}  // namespace
}  // namespace srcsel
