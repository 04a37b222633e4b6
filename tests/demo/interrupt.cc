#include "demo/interrupt.hh"

#include <signal.h>

namespace srcsel::demo {
namespace {

volatile sig_atomic_t caught = 0;

void Note(int number) {
  caught = number;
}

}  // namespace

void CatchInterrupts() {
  struct sigaction note {
  }, before;
  note.sa_handler = Note;
  note.sa_flags = SA_RESTART;
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM})
    if (sigaction(number, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
      sigaction(number, &note, nullptr);
}

absl::Status NotInterrupted() {
  return caught ? absl::CancelledError("interrupted") : absl::OkStatus();
}

void DieIfInterrupted() {
  if (!caught) return;
  signal(caught, SIG_DFL);
  raise(caught);
}

}  // namespace srcsel::demo
