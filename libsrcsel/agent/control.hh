// How the other verbs speak to the process that follows the kernel for an `up`: one JSON object
// each way, over a socket in the run directory that root alone may use.
//
// Errors of Ask(): kNotFound, nothing is up; kUnavailable, the process is gone; kDeadlineExceeded,
// it does not answer: within a second if it is stopped, within a minute otherwise. What it
// has not begun by then is not done later; what it has begun is finished, although nobody hears of
// it.

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "base/fd.hh"
#include "policy/finding.hh"

namespace srcsel {

struct ControlRequest {
  enum class Verb { kReload, kConfirm, kDown, kTrace };
  Verb verb = Verb::kReload;
  std::string policy = {};  // kReload: another file; empty: the same one
  bool all = false;         // kTrace: decisions that change nothing too
};

struct ControlAnswer {
  // Why it was not done; kNotFound of kDown: all is down but ip rules in a namespace not found.
  absl::Status status = {};
  Findings findings = {};  // kReload
  std::uint64_t rules = 0, generation = 0;
};

// The answer; the connection, which for kTrace lasts as long as events are wanted; who answered, to
// wait for its end (a pidfd; empty if it is not of this pid namespace).
struct Asked {
  ControlAnswer answer;
  Fd connection, process;
};
absl::StatusOr<Asked> Ask(const UpPaths &paths, const ControlRequest &request);

// Until who answered has ended; kDeadlineExceeded as above. What it answered is done already: one
// of another pid namespace is not waited for.
absl::Status AwaitEnd(const Asked &asked);

// The other side. Whoever is slow is given up after a second, and who has gone is not obeyed.
class ControlSocket {
 public:
  // Replaces a socket that somebody who is gone has left.
  static absl::StatusOr<ControlSocket> Listen(const UpPaths &paths);

  // Readable when somebody asks.
  int fd() const { return listening_.get(); }

  struct Caller {
    ControlRequest request;
    Fd connection;
  };
  absl::StatusOr<Caller> Accept() const;
  static void Answer(const Fd &connection, const ControlAnswer &answer);

 private:
  explicit ControlSocket(Fd listening) : listening_(std::move(listening)) {}
  Fd listening_;
};

}  // namespace srcsel
