// What really leaves through an interface: an AF_PACKET socket on it.
//
// The kernel hands a packet to the capture while it is being sent, so once a connect() or sendto()
// has returned, its first packet is in Sent(). Only outgoing TCP and UDP packets and questions for
// an echo are kept; IPv6 extension headers are not walked (local SYNs and datagrams have none).
//
// Contract: start it before the traffic. Holds up to some ten thousand packets between two calls of
// Sent(); losing one is an error, not silence. Not thread-safe.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "lab/endpoint.hh"
#include <srcsel/address.hh>

namespace srcsel::lab {

struct Packet {
  enum class Kind { kSyn, kOtherTcp, kUdp, kEcho };

  Kind kind;
  Endpoint from, to;  // of an echo, the ports are the identifier and 0
};

class Capture {
 public:
  static absl::StatusOr<Capture> Start(const Fd &netns, const std::string &interface);

  // All that has left so far, oldest first.
  absl::StatusOr<std::vector<Packet>> Sent();

  // The sources, one per packet, of the SYNs (the datagrams) sent to an address.
  absl::StatusOr<std::vector<Endpoint>> SynSources(const IpAddress &to);
  absl::StatusOr<std::vector<Endpoint>> DatagramSources(const IpAddress &to);

 private:
  explicit Capture(Fd socket) : socket_(std::move(socket)) {}
  absl::Status CheckNothingLost() const;
  absl::StatusOr<std::vector<Endpoint>> Sources(Packet::Kind kind, const IpAddress &to);

  Fd socket_;
  std::vector<Packet> sent_;
};

}  // namespace srcsel::lab
