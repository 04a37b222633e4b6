// Real programs, run to their end or kept running.
//
// RunCommand() is for a program that ends by itself. A Process is the owner of one that does not:
// its destructor kills it and reaps it. Waiting is always for an event (pidfd and pipes under one
// poll()), never for time. Output is kept whole until the owner goes.
//
// Errors: a program that fails is a Result; a status means that it could not be started.
// A Process belongs to the thread that started it, and dies with it.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"
#include "lab/deadline.hh"
#include "lab/spawn.hh"

namespace srcsel::lab {

struct Result {
  int status = -1;  // exit status; -1 if it did not exit by itself
  int signal = 0;   // the signal that ended it
  bool timed_out = false;
  std::string out, err;

  bool ok() const { return status == 0; }
  // "exit status 7" and what it wrote to stderr, for messages.
  std::string ToString() const;
};

// Runs the command with command.input as its stdin; kills it when the deadline passes.
absl::StatusOr<Result> RunCommand(const Command &command, Deadline deadline = kPatience);

class Process {
 public:
  static absl::StatusOr<Process> Start(const Command &command);

  // Takes over a child whose stdin is the read end of `input`, if it is a pipe of ours at all.
  explicit Process(Child child, Pipe input = {});
  Process(Process &&) = default;  // leaves the other one without a program
  Process &operator=(Process &&) = delete;
  ~Process();

  pid_t pid() const { return pid_; }

  // Writes to its stdin, meant for lines; to a program that has ended it is written in vain.
  absl::Status Write(absl::string_view text) const;
  void CloseInput() { input_.write.reset(); }

  // The next complete line, of stdout or of stderr, that contains `part`. Lines of the same stream
  // before it are passed over for good.
  absl::StatusOr<std::string> WaitForLine(absl::string_view part, Deadline deadline = kPatience);

  // Reads what it has written by now: a pipe that is full holds it up.
  void ReadOn();

  absl::Status Signal(int number);

  // Its end and all output; timed_out if it still runs when the deadline passes.
  Result Wait(Deadline deadline = kPatience);

 private:
  struct Stream {
    Fd fd;
    std::string text = {};
    std::size_t seen = 0;  // start of what WaitForLine() has not passed yet

    void Drain();
    bool TakeLine(absl::string_view part, std::string *line);
  };

  bool running() const { return static_cast<bool>(pidfd_); }
  void Pump(const Deadline &deadline);
  void Reap();

  pid_t pid_;
  Fd pidfd_;    // empty once it has been reaped
  Pipe input_;  // its read end is kept, so that a write after the program's end raises no SIGPIPE
  Stream out_, err_;
  Result result_;
};

}  // namespace srcsel::lab
