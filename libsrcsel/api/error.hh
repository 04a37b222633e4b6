// Errors as the C API has them: -errno, and a sentence that the thread keeps.

#pragma once

#include <cerrno>
#include <exception>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace srcsel::api {

// Keeps the sentence and returns -error.
int Refuse(int error, absl::string_view text);
int Refuse(const absl::Status &status);
// errno, of what was being done.
int RefuseErrno(absl::string_view doing);

const char *LastError();

// f(), of which no exception escapes.
template <typename F>
int Guarded(F f) noexcept {
  try {
    return f();
  } catch (const std::bad_alloc &) {
    return Refuse(ENOMEM, "out of memory");
  } catch (const std::exception &error) {
    return Refuse(EIO, error.what());
  }
}

}  // namespace srcsel::api
