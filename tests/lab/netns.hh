// A network namespace without a name, owned by a descriptor.
//
// Nothing is bound under /run/netns: when the last descriptor closes and the last process in it
// ends, the kernel takes the namespace down with all that is in it, even if the owner was killed
// with SIGKILL.
//
// Cost: one thread per Create() and per Within(), a fraction of a millisecond each.
// Thread-safe once created.

#pragma once

#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "base/netns.hh"

namespace srcsel::lab {

// The result of f(), called in the namespace on a thread of its own. f returns a Status or a
// StatusOr. No Process may be started in f: it would die with the thread.
template <typename F>
std::invoke_result_t<F> Within(const Fd &netns, F f) {
  std::invoke_result_t<F> result = absl::UnknownError("the thread did not run");
  std::thread([&] {
    if (const absl::Status entered = EnterNetns(netns); !entered.ok())
      result = entered;
    else
      result = f();
  }).join();
  return result;
}

class Netns {
 public:
  static absl::StatusOr<Netns> Create();

  const Fd &fd() const { return fd_; }

  // Where other programs find it while this object lives; iproute2 takes it for a namespace's name.
  std::string Path() const;

 private:
  explicit Netns(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
};

}  // namespace srcsel::lab
