// By which of its two uplinks (two_uplinks.hh) the client has sent what it sent to a server:
// packets captured on eth0 and on eth1.
//
// Contract and errors: those of Capture.

#pragma once

#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "lab/capture.hh"
#include "lab/host.hh"

namespace srcsel::lab {

class Egress {
 public:
  // A local end, and the server's address.
  using Flow = std::pair<Endpoint, IpAddress>;

  static absl::StatusOr<Egress> Start(const Host &client);

  // "eth0", "eth1", "eth0 eth1", or nothing.
  absl::StatusOr<std::string> DevicesOf(const Flow &flow);

  // All flows to the server that have sent a packet by this device, 0 or 1.
  absl::StatusOr<std::set<Flow>> FlowsBy(int device, const IpAddress &server);

 private:
  Egress(Capture eth0, Capture eth1) : captures_{std::move(eth0), std::move(eth1)} {}

  Capture captures_[2];
};

}  // namespace srcsel::lab
