#include "netlink/decode_address_label.hh"

#include <linux/if_addrlabel.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"

namespace srcsel {

absl::StatusOr<AddressLabel> DecodeAddressLabel(const nlmsghdr &message) {
  DecodeError error("address label");
  const auto header = ReadHeader<ifaddrlblmsg>(message, RTM_NEWADDRLABEL, error);
  const Attributes a(message, sizeof(header), error);
  if (header.ifal_family != AF_INET6) error.Report("it is not of IPv6");
  if (!a.Has(IFAL_LABEL)) error.Report("it has no label");

  AddressLabel label;
  label.prefix = a.PrefixOf(IFAL_ADDRESS, AF_INET6, header.ifal_prefixlen);
  label.ifindex = header.ifal_index;
  label.label = a.Get<std::uint32_t>(IFAL_LABEL).value_or(0);

  if (!error.ok()) return error.status();
  return label;
}

}  // namespace srcsel
