// A network namespace's routing as it is now, for programs that choose sources by it.
//
//   absl::StatusOr<std::unique_ptr<Mirror>> mirror = Mirror::Open();
//   absl::StatusOr<Selection> selection = (*mirror)->Select({.destination = address, .dport =
//   443});
//
// Open() reads everything once; from then on the mirror follows the kernel by its notifications,
// and once a second by looking where it gives none. Nothing is asked of the kernel by Select().
//
// Answers come from one complete state, the last that was read. If following fails (a netlink
// socket breaks, the namespace's name is taken away, a state is too large for an image) that state
// stays, status() says what failed and since when, and the mirror tries again, up to every 3
// seconds, until it succeeds: nothing need be opened anew. A mirror that was opened by name follows
// the name: if another namespace gets it, that one is mirrored.
//
// Threads: Select(), Lookup(), LinkName(), generation(), current() and status() may be called from
// any number of threads, at any time, without a lock. By default the mirror has a thread of its
// own, with all signals blocked. A threadless one works when its owner calls Process(), on one
// thread at a time: whenever fd() is readable. Reading and compiling 1,000 routes then takes a few
// milliseconds and 950,000 a second, and Process() returns after that.
//
// fork(): the child finds its mirror closed. Every call fails with kFailedPrecondition
// (generation() is 0) until it calls Reopen(), before its other threads use the mirror; with that
// it has one of its own, of the same namespace, and fd() is another. In the process that opened it
// Reopen() does nothing, so each worker of a server may call it. What remains in such a child of a
// mirror with a thread are a dozen descriptors, all close-on-exec, and memory shared with the
// parent; of a threadless one nothing.
//
// Memory: about 70 bytes a route; while a change is compiled, twice that.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

struct MirrorOptions {
  std::string netns = {};   // a name as `ip netns` knows it, or a path; empty: the calling thread's
  bool threadless = false;  // follows only in Process()
};

struct MirrorStatus {
  absl::Status
      status;  // OK: all is followed. Else what failed: answers are those of an older state
  std::chrono::system_clock::time_point since = {};  // when it failed first
};

class Mirror {
 public:
  // Another namespace than the calling thread's needs CAP_SYS_ADMIN; the thread does not move.
  static absl::StatusOr<std::unique_ptr<Mirror>> Open(const MirrorOptions &options = {});
  ~Mirror();
  Mirror(const Mirror &) = delete;
  Mirror &operator=(const Mirror &) = delete;

  // What connect() of a socket that is as the flow says will do.
  absl::StatusOr<Selection> Select(const Flow &flow) const;
  // One lookup: what RTM_GETROUTE would answer.
  absl::StatusOr<Selection> Lookup(const Flow &flow) const;
  // The name of the interface of that index; kNotFound if there is none.
  absl::StatusOr<std::string> LinkName(std::uint32_t index) const;

  // Counts the states since Open(): 1, 2, ...
  std::uint64_t generation() const;
  // False while a change is known of that answers do not show yet.
  bool current() const;
  MirrorStatus status() const;

  // Of a threadless mirror: readable when Process() has work; -1 of one with a thread.
  int fd() const;
  // Does what is to be done now, and returns status().status.
  absl::Status Process();

  absl::Status Reopen();

 private:
  class Core;

  explicit Mirror(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace srcsel
