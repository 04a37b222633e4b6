#include "netlink/decode_address.hh"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"

namespace srcsel {

absl::StatusOr<InterfaceAddress> DecodeAddress(const nlmsghdr &message) {
  DecodeError error("address");
  const auto header = ReadHeader<ifaddrmsg>(message, RTM_NEWADDR, error);
  const Attributes a(message, sizeof(header), error);
  RequireIpFamily(header.ifa_family, error);

  const auto own = a.Address(IFA_LOCAL, header.ifa_family);
  const int subnet = a.Has(IFA_ADDRESS) ? IFA_ADDRESS : IFA_LOCAL;
  if (!a.Has(subnet)) error.Report("it has neither IFA_LOCAL nor IFA_ADDRESS");

  InterfaceAddress address;
  address.ifindex = header.ifa_index;
  address.subnet = a.PrefixOf(subnet, header.ifa_family, header.ifa_prefixlen);
  address.local = own.value_or(address.subnet.address);
  address.scope = header.ifa_scope;
  address.flags = a.Get<std::uint32_t>(IFA_FLAGS).value_or(header.ifa_flags);

  if (!error.ok()) return error.status();
  return address;
}

}  // namespace srcsel
