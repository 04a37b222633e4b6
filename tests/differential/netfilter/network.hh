// A network of this thread's own to send flows into: four ways out, u0 to u3, one for each value of
// the lowest two bits of a mark, each with an address of its own. From .4 on, the addresses of each
// of the networks that flows go to are by the next way.
//
// What leaves is seen by a chain after all others: by which way, and with which mark.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
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
  friend bool operator==(const Seen &, const Seen &) = default;
};

class Network {
 public:
  // The calling thread is in it from then on.
  absl::Status Open();

  // By which way what has this mark leaves.
  static std::uint32_t WayOf(const IpAddress &destination, std::uint32_t mark);
  // The address of a way.
  static IpAddress AddressOf(int family, std::uint32_t way);

  // Opens a socket as the flow says and sends its first packet. The flow's sport is bound; its
  // source only if `bound`. The packet is known by the number.
  absl::Status Send(const NfFlow &flow, bool bound, std::uint32_t number);

  // What has left since the last time, by number.
  absl::StatusOr<std::map<std::uint32_t, Seen>> TakeSeen();

 private:
  std::vector<Fd> devices_;
};

// Gives the text to the program. The error is what it writes to stderr.
absl::Status Feed(const std::string &program, const std::string &text);

}  // namespace srcsel
