// The shortest list of commands that shows a disagreement is found, and in few steps.

#include "differential/hosts/shrink.hh"

#include <set>

#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Numbers = std::vector<std::string>;

Numbers Numbered(int count) {
  Numbers commands;
  for (int i = 0; i < count; ++i) commands.push_back(absl::StrCat("command ", i));
  return commands;
}

// Shows something while all that matters is left, and counts how often it was asked.
class Shown {
 public:
  explicit Shown(std::set<int> matters) {
    for (const int i : matters) matters_.insert(absl::StrCat("command ", i));
  }

  Numbers Shrunk(Numbers commands) {
    return Shrink(std::move(commands), [this](const Numbers &rest) {
      ++calls;
      const std::set<std::string> left(rest.begin(), rest.end());
      return std::ranges::includes(left, matters_);
    });
  }

  int calls = 0;

 private:
  std::set<std::string> matters_;
};

// At each of six sizes little is tried but what is next to one of the two.
TEST(Shrink, KeepsTheTwoThatMatterOfForty) {
  for (int first = 0; first < 40; ++first)
    for (int second = first + 1; second < 40; ++second) {
      Shown shown({first, second});
      ASSERT_THAT(shown.Shrunk(Numbered(40)),
                  ElementsAre(absl::StrCat("command ", first), absl::StrCat("command ", second)));
      ASSERT_LE(shown.calls, 30) << first << " and " << second;
    }
}

TEST(Shrink, KeepsAllInTheirOrderIfAllMatter) {
  Shown shown({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(shown.Shrunk(Numbered(8)), Numbered(8));
  EXPECT_LE(shown.calls, 30);
}

TEST(Shrink, KeepsNothingIfNothingMatters) {
  Shown shown({});
  EXPECT_THAT(shown.Shrunk(Numbered(40)), IsEmpty());
  EXPECT_THAT(shown.Shrunk({}), IsEmpty());
}

// Whichever are left.
TEST(Shrink, LeavesNoSingleOneThatCouldGo) {
  const auto shows = [](const Numbers &rest) { return rest.size() >= 3; };
  EXPECT_EQ(Shrink(Numbered(40), shows).size(), 3u);
}

}  // namespace
}  // namespace srcsel
