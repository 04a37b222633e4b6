// The main() of a program of many test files. Under the name <label>_X it runs the tests of
// X_test.cc alone, whatever --gtest_filter chooses of them; under its own, all.

#include <filesystem>
#include <iostream>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

// False: there are none.
bool KeepTestsOf(const std::string &file) {
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
  if (others.empty()) return found;
  std::string &filter = testing::GTEST_FLAG(filter);
  absl::StrAppend(&filter, filter.find('-') == std::string::npos ? "-" : ":",
                  absl::StrJoin(others, ":"));
  return found;
}

}  // namespace

int main(int argc, char **argv) {
  const std::string name = std::filesystem::path(argv[0]).filename();
  const std::string own = std::filesystem::read_symlink("/proc/self/exe").filename();
  testing::InitGoogleMock(&argc, argv);
  const std::string file = name.substr(name.find('_') + 1) + "_test.cc";
  if (name == own || KeepTestsOf(file)) return RUN_ALL_TESTS();
  std::cerr << own << " has no tests of " << file << "\n";
  return 1;
}
