// A network of this thread's own to send flows into: four ways out, u0 to u3, one for each value of
// the lowest two bits of a mark, each with an address of its own. From .4 on, the addresses of each
// of the networks that flows go to are by the next way.
//
// What leaves is seen by a chain after all others: from where, by which way, and with which mark.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "netfilter/evaluate.hh"

namespace srcsel {

struct Seen {
  std::uint32_t mark;
  std::uint32_t way;
  IpAddress source;
};

bool IsPing(const NfFlow &flow);

// How a program has a datagram sent. A TCP socket always connects.
enum class Call { kConnect, kSendTo };

class Network {
 public:
  // The calling thread is in it from then on.
  absl::Status Open();

  // By which way what has this mark leaves.
  static std::uint32_t WayOf(const IpAddress &destination, std::uint32_t mark);
  // The address of a way.
  static IpAddress AddressOf(int family, std::uint32_t way);

  // Has who the flow is of open a socket as the flow says and send its first packet, from the
  // flow's sport, which the socket is not bound to: it is the only one there is at that moment.
  // (What pings have in its place the kernel chooses.) The packet is known by the number.
  absl::Status Send(const NfFlow &flow, Call call, std::uint32_t number);

  // What has left since the last time, by number.
  absl::StatusOr<std::map<std::uint32_t, Seen>> TakeSeen();

 private:
  std::vector<Fd> devices_;
  Fd ports_;  // the range that the kernel chooses from
};

// Gives the text to the program. The error is what it writes to stderr.
absl::Status Feed(const std::string &program, const std::string &text);

}  // namespace srcsel
