#include "hooks/events.hh"

#include "base/status.hh"

namespace srcsel {

absl::StatusOr<EventReader> EventReader::Open(Hooks &hooks, Hooks::Told told) {
  SRCSEL_ASSIGN_OR_RETURN(EventRing ring, EventRing::Open(hooks.events_fd()));
  hooks.Tell(told);
  return EventReader(hooks, std::move(ring));
}

EventReader::~EventReader() {
  if (hooks_ != nullptr) hooks_->Tell(Hooks::Told::kNone);
}

}  // namespace srcsel
