#include "netlink/read_state.hh"

#include <linux/rtnetlink.h>

#include <utility>
#include <vector>

#include "base/status.hh"
#include "netlink/decode_address.hh"
#include "netlink/decode_link.hh"
#include "netlink/decode_route.hh"
#include "netlink/decode_rule.hh"

namespace srcsel {
namespace {

bool Belongs(const Route &route) {
  return (route.flags & RTM_F_CLONED) == 0;
}
template <typename T>
bool Belongs(const T & /*any*/) {
  return true;
}

template <typename T>
void Truncate(std::vector<T> &all, std::size_t count) {
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
}
void Truncate(Routes &all, std::size_t count) {
  all.Truncate(count);
}

template <typename T, typename List>
absl::Status Append(NetlinkSocket &socket, int type, int family,
                    absl::StatusOr<T> (*decode)(const nlmsghdr &), List &all) {
  const std::size_t before = all.size();
  return socket.Dump(
      type, family, [&] { Truncate(all, before); },
      [&](const nlmsghdr &message) -> absl::Status {
        absl::StatusOr<T> value = decode(message);
        if (!value.ok()) return value.status();
        if (Belongs(*value)) all.push_back(*std::move(value));
        return absl::OkStatus();
      });
}

}  // namespace

absl::StatusOr<State> ReadState(NetlinkSocket &socket) {
  State state;
  state.netns = socket.netns();
  // First, because only this listing waits for a change whose announcement has already been heard
  // (RTNL; addresses, rules and routes are listed without it on Linux 6.18).
  SRCSEL_RETURN_IF_ERROR(Append(socket, RTM_GETLINK, AF_UNSPEC, DecodeLink, state.links));
  for (int family : {AF_INET, AF_INET6}) {
    SRCSEL_RETURN_IF_ERROR(Append(socket, RTM_GETADDR, family, DecodeAddress, state.addresses));
    SRCSEL_RETURN_IF_ERROR(Append(socket, RTM_GETRULE, family, DecodeRule, state.rules));
    SRCSEL_RETURN_IF_ERROR(Append(socket, RTM_GETROUTE, family, DecodeRoute, state.routes));
  }
  return state;
}

}  // namespace srcsel
