// A flow opened for real: a socket that is as the flow says, connected.
//
// A stream socket's SYN is put off until data is written (TCP_FASTOPEN_CONNECT), so that no packet
// is sent and no neighbour made: nothing of the namespace changes.

#pragma once

#include <optional>

#include "differential/oracle.hh"
#include <srcsel/flow.hh>

namespace srcsel {

// In the namespace of this thread. Nothing if there can be no such socket: it cannot be bound to
// the device, the address or the port.
std::optional<Connected> DialFlow(const Flow &flow);

}  // namespace srcsel
