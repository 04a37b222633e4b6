// From a description of a command to a child that runs it.
//
// The child joins its cgroup, then enters its network namespace, then its directory, and is then
// replaced by the program: no shell in between. It dies with the thread that started it
// (PR_SET_PDEATHSIG), so a crashed test leaves no process behind.
//
// Errors: when Spawn() returns a status, nothing is left of the child; the status names the step
// that failed. Thread-safe; a child never inherits another one's descriptors.

#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel::lab {

struct Command {
  std::vector<std::string> argv = {};  // argv[0] is searched in PATH
  int netns = -1;                      // a namespace to enter, borrowed; -1: the caller's
  std::string cgroup = {};             // a cgroup v2 directory to join; empty: the caller's
  std::vector<std::string> env = {};   // "NAME=value", replacing the caller's NAME
  std::string cwd = {};                // empty: the caller's
  std::string input = {};              // all of stdin for RunCommand(); a Process is written to

  // The words of argv, for messages.
  std::string ToString() const;
};

struct Pipe {
  Fd read, write;
};

absl::StatusOr<Pipe> MakePipe();

// A descriptor that becomes readable when the process ends; empty if there is no such process.
Fd OpenPidfd(pid_t pid);

struct Child {
  pid_t pid = -1;
  Fd pidfd;     // readable once the child has exited
  Fd out, err;  // our ends of the pipes, nonblocking
};

// Starts the command with `input` as its stdin.
absl::StatusOr<Child> Spawn(const Command &command, const Fd &input);

}  // namespace srcsel::lab
