#include "netlink/decode_nexthop_object.hh"

#include <linux/nexthop.h>
#include <linux/rtnetlink.h>

#include "netlink/attributes.hh"

namespace srcsel {
namespace {

std::uint32_t Id(const Attributes &a, DecodeError &error) {
  const std::uint32_t id = a.Get<std::uint32_t>(NHA_ID).value_or(0);
  if (id == 0) error.Report("it has no id");
  return id;
}

std::optional<IpAddress> Gateway(int family, const Attributes &a, DecodeError &error) {
  if (!a.Has(NHA_GATEWAY)) return std::nullopt;
  RequireIpFamily(family, error);
  return a.Address(NHA_GATEWAY, family);
}

std::vector<NexthopMember> Members(Attributes::Bytes bytes, DecodeError &error) {
  std::vector<NexthopMember> members;
  for (nexthop_grp entry; bytes.size() >= sizeof(entry); bytes.remove_prefix(sizeof(entry))) {
    std::memcpy(&entry, bytes.data(), sizeof(entry));
    members.push_back({entry.id, (entry.weight_high << 8U | entry.weight) + 1U});
  }
  if (!bytes.empty()) error.Report("its group is cut short");
  return members;
}

}  // namespace

absl::StatusOr<NexthopObject> DecodeNexthopObject(const nlmsghdr &message) {
  DecodeError error("nexthop object");
  const auto header = ReadHeader<nhmsg>(message, RTM_NEWNEXTHOP, error);
  const Attributes a(message, sizeof(header), error);

  NexthopObject object;
  object.id = Id(a, error);
  object.family = header.nh_family;
  object.oif = a.Get<std::uint32_t>(NHA_OIF).value_or(0);
  object.gateway = Gateway(header.nh_family, a, error);
  object.scope = header.nh_scope;
  object.flags = static_cast<std::uint8_t>(header.nh_flags);
  object.blackhole = a.Has(NHA_BLACKHOLE);
  object.fdb = a.Has(NHA_FDB);
  object.encap = a.Has(NHA_ENCAP_TYPE);
  object.group = Members(a.Payload(NHA_GROUP), error);
  object.resilient = a.Get<std::uint16_t>(NHA_GROUP_TYPE).value_or(0) == NEXTHOP_GRP_TYPE_RES;
  object.buckets.resize(
      a.Nested(NHA_RES_GROUP).Get<std::uint16_t>(NHA_RES_GROUP_BUCKETS).value_or(0));

  if (!error.ok()) return error.status();
  return object;
}

absl::StatusOr<NexthopBucket> DecodeNexthopBucket(const nlmsghdr &message) {
  DecodeError error("nexthop bucket");
  const auto header = ReadHeader<nhmsg>(message, RTM_NEWNEXTHOPBUCKET, error);
  const Attributes a(message, sizeof(header), error);
  const Attributes inner = a.Nested(NHA_RES_BUCKET);
  if (!inner.Has(NHA_RES_BUCKET_INDEX)) error.Report("it has no index");

  NexthopBucket bucket;
  bucket.group = Id(a, error);
  bucket.index = inner.Get<std::uint16_t>(NHA_RES_BUCKET_INDEX).value_or(0);
  bucket.member = inner.Get<std::uint32_t>(NHA_RES_BUCKET_NH_ID).value_or(0);

  if (!error.ok()) return error.status();
  return bucket;
}

}  // namespace srcsel
