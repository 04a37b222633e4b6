#include "api/error.hh"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace srcsel::api {
namespace {

// Of a fixed size, so that keeping an error cannot fail.
thread_local std::array<char, 256> last_error{};

int ErrnoOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kNotFound:
      return ENOENT;
    case absl::StatusCode::kInvalidArgument:
      return EINVAL;
    case absl::StatusCode::kPermissionDenied:
      return EPERM;
    case absl::StatusCode::kResourceExhausted:
      return ENOMEM;
    case absl::StatusCode::kFailedPrecondition:
      return ESTALE;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
      return EAGAIN;
    default:
      return EIO;
  }
}

}  // namespace

int Refuse(int error, absl::string_view text) {
  const std::size_t size = std::min(text.size(), last_error.size() - 1);
  std::copy_n(text.begin(), size, last_error.begin());
  last_error[size] = '\0';
  return -error;
}

int Refuse(const absl::Status &status) {
  return Refuse(ErrnoOf(status.code()), status.message());
}

int RefuseErrno(absl::string_view doing) {
  const int error = errno;
  std::array<char, 64> why{};
  return Refuse(error, absl::StrCat(doing, ": ", strerror_r(error, why.data(), why.size())));
}

const char *LastError() {
  return last_error.data();
}

}  // namespace srcsel::api
