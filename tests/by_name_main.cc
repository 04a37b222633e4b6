// The main() of a program of many test files. Under the name <label>_X it runs the tests of
// X_test.cc alone, whatever --gtest_filter chooses of them; under any other, all.

#include <filesystem>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

void KeepTestsOf(const std::string &file) {
  std::set<std::string> others;
  bool found = false;
  const auto &all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite &suite = *all.GetTestSuite(i);
    if (suite.total_test_count() == 0) continue;
    if (absl::EndsWith(suite.GetTestInfo(0)->file(), "/" + file))
      found = true;
    else
      others.insert(absl::StrCat(suite.name(), ".*"));
  }
  if (!found || others.empty()) return;
  std::string &filter = testing::GTEST_FLAG(filter);
  absl::StrAppend(&filter, filter.find('-') == std::string::npos ? "-" : ":",
                  absl::StrJoin(others, ":"));
}

}  // namespace

int main(int argc, char **argv) {
  const std::string name = std::filesystem::path(argv[0]).filename();
  testing::InitGoogleMock(&argc, argv);
  KeepTestsOf(name.substr(name.find('_') + 1) + "_test.cc");
  return RUN_ALL_TESTS();
}
