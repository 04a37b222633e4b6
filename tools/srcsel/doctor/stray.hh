// Addresses of uplinks whose packets leave by another uplink: what is bound to one goes there, the
// answer of a server that was asked at one does, and a reverse path filter looks there.
//
// An uplink is an interface that a default route leaves by, in any table; if there is but one,
// nothing can stray. An address is tried with flows to here and there in the Internet, without a
// mark. Temporary IPv6 addresses are left out: they are gone before a rule for them is of use.
//
// Pure. Cost: a snapshot of the state, and for each address that strays that of
// agent/steering_commands.hh.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/default_route.hh"
#include "state/state.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct Stray {
  IpAddress address;
  std::vector<std::uint32_t> devices;  // that bear it
  std::string words;                   // "10.1.0.1 leaves by eth0, not by eth1, ..."
  Commands mend;                       // "ip rule add from 10.1.0.1 lookup 100"
};

absl::StatusOr<std::vector<Stray>> FindStrays(const State &state);

}  // namespace srcsel
