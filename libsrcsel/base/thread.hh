// Threads that a library starts in somebody else's process.
//
// They block all signals, so that those go where the process expects them.

#pragma once

#include <csignal>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"

namespace srcsel {

template <typename F>
absl::StatusOr<std::thread> StartThread(F f) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  absl::StatusOr<std::thread> thread = absl::UnknownError("");
  try {
    thread.emplace(std::move(f));
  } catch (const std::system_error &error) {
    thread = absl::ErrnoToStatus(error.code().value(), "start a thread");
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace srcsel
