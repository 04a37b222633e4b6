#include "netlink/decode_nexthops.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

// struct rtvia: the family in 16 bits, then an address of it.
std::optional<IpAddress> Via(const Attributes &a, DecodeError &error) {
  const auto family = a.Get<std::uint16_t>(RTA_VIA);
  if (!family) return std::nullopt;
  RequireIpFamily(*family, error);
  const Attributes::Bytes address = a.Payload(RTA_VIA).subspan(sizeof(*family));
  if (address.size() == IpAddress::Any(*family).size())
    return IpAddress::FromBytes(*family, address.data());
  error.Report(absl::StrCat("a gateway of ", address.size(), " bytes"));
  return std::nullopt;
}

Nexthop DecodeOne(int family, const Attributes &a, DecodeError &error) {
  Nexthop hop;
  hop.gateway = a.Has(RTA_VIA) ? Via(a, error) : a.Address(RTA_GATEWAY, family);
  hop.encap = a.Has(RTA_ENCAP_TYPE);
  return hop;
}

std::vector<Nexthop> DecodeSeveral(int family, Attributes::Bytes bytes, DecodeError &error) {
  std::vector<Nexthop> hops;
  rtnexthop header;
  while (bytes.size() >= sizeof(header)) {
    std::memcpy(&header, bytes.data(), sizeof(header));
    if (header.rtnh_len < sizeof(header) || header.rtnh_len > bytes.size()) break;
    const std::size_t length = header.rtnh_len - sizeof(header);
    const Attributes a(bytes.subspan(sizeof(header), length), error);
    Nexthop &hop = hops.emplace_back(DecodeOne(family, a, error));
    hop.oif = static_cast<std::uint32_t>(header.rtnh_ifindex);
    hop.weight = static_cast<std::uint16_t>(header.rtnh_hops + 1);
    hop.flags = header.rtnh_flags;
    bytes.remove_prefix(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), bytes.size()));
  }
  if (!bytes.empty() || hops.empty()) error.Report("its next hops are cut short");
  return hops;
}

}  // namespace

std::vector<Nexthop> DecodeNexthops(const rtmsg &header, const Attributes &route,
                                    DecodeError &error) {
  if (route.Has(RTA_MULTIPATH))
    return DecodeSeveral(header.rtm_family, route.Payload(RTA_MULTIPATH), error);
  Nexthop hop = DecodeOne(header.rtm_family, route, error);
  hop.oif = route.Get<std::uint32_t>(RTA_OIF).value_or(0);
  hop.flags = static_cast<std::uint8_t>(header.rtm_flags);  // RTNH_F_* share rtm_flags' low byte
  std::vector<Nexthop> hops;
  hops.push_back(hop);
  return hops;
}

}  // namespace srcsel
