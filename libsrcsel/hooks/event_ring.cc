#include "hooks/event_ring.hh"

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

void EventRing::Free::operator()(ring_buffer *ring) const {
  ring_buffer__free(ring);
}

absl::StatusOr<EventRing> EventRing::Open(int map) {
  EventRing ring;
  ring.ring_.reset(ring_buffer__new(map, Append, ring.events_.get(), nullptr));
  if (!ring.ring_) return absl::ErrnoToStatus(errno, "open the ring of events");
  return ring;
}

int EventRing::fd() const {
  return ring_buffer__epoll_fd(ring_.get());
}

std::vector<srcsel_event> EventRing::Read() {
  ring_buffer__consume(ring_.get());
  return std::exchange(*events_, {});
}

}  // namespace srcsel
