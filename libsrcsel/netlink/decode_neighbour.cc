#include "netlink/decode_neighbour.hh"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"

namespace srcsel {

absl::StatusOr<Neighbour> DecodeNeighbour(const nlmsghdr &message) {
  DecodeError error("neighbour");
  const int type = message.nlmsg_type == RTM_DELNEIGH ? RTM_DELNEIGH : RTM_NEWNEIGH;
  const auto header = ReadHeader<ndmsg>(message, type, error);
  const Attributes a(message, sizeof(header), error);
  RequireIpFamily(header.ndm_family, error);
  if (!a.Has(NDA_DST)) error.Report("it has no address");

  Neighbour neighbour;
  neighbour.ifindex = static_cast<std::uint32_t>(header.ndm_ifindex);
  neighbour.address = a.Address(NDA_DST, header.ndm_family).value_or(IpAddress());
  neighbour.state = header.ndm_state;

  if (!error.ok()) return error.status();
  return neighbour;
}

}  // namespace srcsel
