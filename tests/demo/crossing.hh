// One connection across a lab of its own, watched from every side.
//
// Nothing is concluded here: what curl told, what nginx wrote down, what AF_PACKET sockets saw
// leave the client by each uplink and Unicom's router towards the server, and the entries of the
// client's conntrack table. Tables and verdicts are made of it.
//
// Cost: a lab and an nginx, some 200 ms; two seconds more if nobody answers. When Cross() returns,
// no process, cgroup, directory or namespace of it is left.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "demo/way.hh"
#include "lab/conntrack.hh"
#include "lab/endpoint.hh"
#include "lab/process.hh"

namespace srcsel::demo {

struct Crossing {
  lab::Result curl;
  Outcome outcome = Outcome::kFailed;
  std::optional<lab::Endpoint> told, seen;     // getsockname() and nginx, if there was an answer
  std::vector<lab::Endpoint> telecom, unicom;  // sources of the SYNs that left the client by each
  std::vector<lab::Endpoint> past_unicom;      // and of those that Unicom's router sent on
  std::vector<lab::ConntrackEntry> tracked = {};  // on the client

  const std::vector<lab::Endpoint> &By(Uplink uplink) const {
    return uplink == Uplink::kTelecom ? telecom : unicom;
  }
};

// `srcsel` is the program to run where the way asks for it.
absl::StatusOr<Crossing> Cross(const Way &way, const Family &family, const std::string &srcsel);

}  // namespace srcsel::demo
