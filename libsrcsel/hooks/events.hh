// Reads the decisions of hooks loaded by this process while somebody listens.
//
// Contract: hooks tell from Open() until the reader is destroyed; else as event_ring.hh.

#pragma once

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hooks/event_ring.hh"
#include "hooks/hooks.hh"
#include <srcsel/abi.h>

namespace srcsel {

class EventReader {
 public:
  // kEffective: decisions that changed something or failed. `hooks` must outlive the reader.
  static absl::StatusOr<EventReader> Open(Hooks &hooks, Hooks::Told told);
  EventReader(EventReader &&other) noexcept
      : hooks_(std::exchange(other.hooks_, nullptr)), ring_(std::move(other.ring_)) {}
  EventReader &operator=(EventReader &&) = delete;
  ~EventReader();

  // All events told so far and not yet read, in order.
  std::vector<srcsel_event> Read() { return ring_.Read(); }

 private:
  EventReader(Hooks &hooks, EventRing ring) : hooks_(&hooks), ring_(std::move(ring)) {}

  Hooks *hooks_;
  EventRing ring_;
};

}  // namespace srcsel
