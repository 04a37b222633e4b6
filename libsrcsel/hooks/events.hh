// Reads the decisions that hooks tell while somebody listens.
//
// Contract: hooks tell from Open() until the reader is destroyed; what does not fit into the ring
// is dropped, never waited for. One reader at a time. Not thread-safe.

#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "hooks/hooks.hh"
#include <srcsel/abi.h>

struct ring_buffer;

namespace srcsel {

class EventReader {
 public:
  // kEffective: decisions that changed something or failed. `hooks` must outlive the reader.
  static absl::StatusOr<EventReader> Open(Hooks &hooks, Hooks::Told told);
  EventReader(EventReader &&) = default;
  EventReader &operator=(EventReader &&) = delete;
  ~EventReader();

  // All events told so far and not yet read, in order.
  std::vector<srcsel_event> Read();

 private:
  struct Free {
    void operator()(ring_buffer *ring) const;
  };
  explicit EventReader(Hooks &hooks)
      : hooks_(&hooks), events_(std::make_unique<std::vector<srcsel_event>>()) {}

  Hooks *hooks_;
  std::unique_ptr<std::vector<srcsel_event>> events_;
  std::unique_ptr<ring_buffer, Free> ring_;
};

}  // namespace srcsel
