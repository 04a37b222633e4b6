#include "hooks/events.hh"

#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace srcsel {
namespace {

int Append(void *context, void *data, std::size_t size) {
  srcsel_event event;
  if (size < sizeof(event)) return 0;
  std::memcpy(&event, data, sizeof(event));
  static_cast<std::vector<srcsel_event> *>(context)->push_back(event);
  return 0;
}

}  // namespace

void EventReader::Free::operator()(ring_buffer *ring) const {
  ring_buffer__free(ring);
}

absl::StatusOr<EventReader> EventReader::Open(Hooks &hooks, Hooks::Told told) {
  EventReader reader(hooks);
  reader.ring_.reset(ring_buffer__new(hooks.events_fd(), Append, reader.events_.get(), nullptr));
  if (!reader.ring_) return absl::ErrnoToStatus(errno, "open the ring of events");
  hooks.Tell(told);
  return reader;
}

EventReader::~EventReader() {
  if (ring_) hooks_->Tell(Hooks::Told::kNone);
}

std::vector<srcsel_event> EventReader::Read() {
  ring_buffer__consume(ring_.get());
  return std::exchange(*events_, {});
}

}  // namespace srcsel
