// The ring that hooks write decisions to.
//
// Contract: one reader at a time; what it does not read in time is dropped, never waited for. Not
// thread-safe.

#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include <srcsel/abi.h>

struct ring_buffer;

namespace srcsel {

class EventRing {
 public:
  // Of the map's descriptor, which may be closed afterwards.
  static absl::StatusOr<EventRing> Open(int map);

  // Readable when Read() has something.
  int fd() const;
  // All events told so far and not yet read, in order.
  std::vector<srcsel_event> Read();

 private:
  struct Free {
    void operator()(ring_buffer *ring) const;
  };
  EventRing() : events_(std::make_unique<std::vector<srcsel_event>>()) {}

  std::unique_ptr<std::vector<srcsel_event>> events_;
  std::unique_ptr<ring_buffer, Free> ring_;
};

}  // namespace srcsel
