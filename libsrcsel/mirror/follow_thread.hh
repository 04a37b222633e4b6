// A thread that does what is to be done for a Tracker, until it is destroyed.

#pragma once

#include <memory>
#include <thread>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "mirror/tracker.hh"

namespace srcsel {

class FollowThread {
 public:
  // `tracker` outlives this and belongs to the thread.
  static absl::StatusOr<std::unique_ptr<FollowThread>> Start(Tracker &tracker);
  // Takes as long as a Process() that is under way.
  ~FollowThread();
  FollowThread(const FollowThread &) = delete;
  FollowThread &operator=(const FollowThread &) = delete;

 private:
  FollowThread(Fd stop, std::thread thread) : stop_(std::move(stop)), thread_(std::move(thread)) {}

  Fd stop_;
  std::thread thread_;
};

}  // namespace srcsel
