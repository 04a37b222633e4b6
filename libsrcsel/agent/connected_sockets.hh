// Sockets of processes that are connected, and the flow that a new one to the same place would be.
//
// Whether a source was bound by the program or chosen for it, a socket does not tell: the flow is
// that of one that is bound to nothing.
//
// Contract: sockets of the calling thread's network namespace. Needs what ptrace(2) needs. Cost:
// that of open_sockets.hh.

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/open_sockets.hh"
#include "agent/policy_in_force.hh"
#include <srcsel/flow.hh>

namespace srcsel {

struct ConnectedSocket {
  OpenSocket about;
  Flow flow;  // without a source, with the mark that the socket has
  Caller caller;
  IpAddress source;  // that it has
};

// kNotFound: there is no such process, or it has none; kPermissionDenied: it is not to be looked
// at.
absl::StatusOr<std::vector<ConnectedSocket>> ConnectedSocketsOf(pid_t pid);

// The one between these two, "10.0.0.1:40000-192.0.2.80:80" or "[fd00::1]:40000-[2001:db8::80]:80",
// of whatever process; more than one if several protocols have one. kNotFound: no process has it.
absl::StatusOr<std::vector<ConnectedSocket>> ConnectedSocketsBetween(const std::string &ends);

}  // namespace srcsel
