// The kernel's own answer for a flow: RTM_GETROUTE, one question, one answer.
//
// It is one output lookup with the flow's ports as they are, which is what Lookup() predicts.
// Asking sends no packet and makes no neighbour. What the kernel cannot be told: that a source port
// is still to be chosen, that the device of an IPv6 flow with a source is more than a wish
// (`oif_strict`), IP_TRANSPARENT, preferences among IPv6 addresses. Protocol 0 asks for the
// kernel's default: UDP in IPv4, none in IPv6. Any other than TCP, UDP and the family's ICMP is
// EOPNOTSUPP. A flow label is heard since Linux 6.14. Under fib_multipath_hash_policy 3 IPv4 also
// hashes the inner headers of a packet it makes up.
//
// Contract: asks the network namespace that the calling thread was in at Open(), wherever the
// thread goes later. Move-only. One thread at a time. Cost: some 2 us.

#pragma once

#include <linux/netlink.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "netlink/socket.hh"
#include "state/route.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

class RouteAsker {
 public:
  static absl::StatusOr<RouteAsker> Open();

  // `rule`, `dst` and `nexthop_id` are not told. The source of a bound flow is what it is bound to.
  absl::StatusOr<Outcome> Ask(const Flow &flow);
  // The route of the table that the flow takes, as a listing shows it; none if it takes none. Of
  // IPv6 routes that share flows, the one taken: its terms, and itself as the first nexthop.
  absl::StatusOr<std::optional<Route>> AskRoute(const Flow &flow);

 private:
  struct alignas(nlmsghdr) Reply : std::array<std::uint8_t, 8192> {
    const nlmsghdr &message() const { return *reinterpret_cast<const nlmsghdr *>(data()); }
  };

  explicit RouteAsker(NetlinkSocket socket) : socket_(std::move(socket)) {}
  absl::Status Receive(const Flow &flow, std::uint32_t flags, Reply &reply);

  NetlinkSocket socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace srcsel
