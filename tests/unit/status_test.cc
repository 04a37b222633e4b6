#include "base/status.hh"

#include <memory>

#include <gtest/gtest.h>

namespace srcsel {
namespace {

absl::StatusOr<std::unique_ptr<int>> Owned(bool ok) {
  if (!ok) return absl::NotFoundError("open /nowhere: none");
  return std::make_unique<int>(7);
}

absl::StatusOr<int> Sum(bool first, bool second) {
  SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<int> a, Owned(first));
  SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<int> b, Owned(second));
  return *a + *b;
}

absl::Status Steps(const absl::Status &step, int &passed) {
  SRCSEL_RETURN_IF_ERROR(step);
  ++passed;
  return absl::OkStatus();
}

TEST(Status, ValuesAreMovedOutAndErrorsCarriedUp) {
  EXPECT_EQ(Sum(true, true).value(), 14);
  EXPECT_EQ(Sum(false, true).status(), absl::NotFoundError("open /nowhere: none"));
  EXPECT_EQ(Sum(true, false).status(), absl::NotFoundError("open /nowhere: none"));
}

TEST(Status, AnErrorReturnsAtOnce) {
  int passed = 0;
  EXPECT_TRUE(Steps(absl::OkStatus(), passed).ok());
  EXPECT_EQ(Steps(absl::AbortedError("no"), passed), absl::AbortedError("no"));
  EXPECT_EQ(passed, 1);
}

}  // namespace
}  // namespace srcsel
