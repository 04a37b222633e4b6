// What the kernel does with a UDP socket that connects: asked of a real one, of this thread's
// namespace. Sends no packet.

#pragma once

#include <optional>

#include "absl/status/statusor.h"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

// The flow's error or source; nothing else of the outcome is told. Nothing if this process may not
// have such a socket (a mark, a device or an owner needs CAP_NET_ADMIN, CAP_NET_RAW or CAP_CHOWN),
// or the source cannot be bound. `flow.proto` is taken for UDP.
absl::StatusOr<std::optional<Outcome>> ConnectUdp(const Flow &flow);

}  // namespace srcsel
