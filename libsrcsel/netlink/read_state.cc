#include "netlink/read_state.hh"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "absl/container/flat_hash_map.h"
#include "base/status.hh"
#include "netlink/decode_address.hh"
#include "netlink/decode_address_label.hh"
#include "netlink/decode_link.hh"
#include "netlink/decode_neighbour.hh"
#include "netlink/decode_nexthop_object.hh"
#include "netlink/decode_rule.hh"
#include "netlink/device_order.hh"
#include "netlink/read_settings.hh"
#include "netlink/route_listing.hh"
#include "netlink/sibling_terms.hh"
#include "netlink/unlisted_routes.hh"

namespace srcsel {
namespace {

template <typename T>
absl::Status Append(NetlinkSocket &socket, int type, int family,
                    absl::StatusOr<T> (*decode)(const nlmsghdr &), std::vector<T> &all) {
  const auto before = static_cast<std::ptrdiff_t>(all.size());
  return socket.Dump(
      type, family, [&] { all.erase(all.begin() + before, all.end()); },
      [&](const nlmsghdr &message) -> absl::Status {
        SRCSEL_ASSIGN_OR_RETURN(T value, decode(message));
        all.push_back(std::move(value));
        return absl::OkStatus();
      });
}

absl::Status AppendRoutes(NetlinkSocket &socket, int family, Routes &all) {
  const std::size_t before = all.size();
  RouteListing listing(all);
  return socket.Dump(
      RTM_GETROUTE, family, [&] { all.Truncate(before); },
      [&](const nlmsghdr &message) { return listing.Add(message); });
}

// The kernel lists the buckets of all groups, one message a bucket.
absl::Status FillBuckets(NetlinkSocket &socket, std::vector<NexthopObject> &objects) {
  absl::flat_hash_map<std::uint32_t, NexthopObject *> groups;
  for (NexthopObject &object : objects)
    if (object.resilient) groups.emplace(object.id, &object);
  if (groups.empty()) return absl::OkStatus();
  std::vector<NexthopBucket> buckets;
  SRCSEL_RETURN_IF_ERROR(
      Append(socket, RTM_GETNEXTHOPBUCKET, AF_UNSPEC, DecodeNexthopBucket, buckets));
  for (const NexthopBucket &bucket : buckets) {
    const auto group = groups.find(bucket.group);
    if (group != groups.end() && bucket.index < group->second->buckets.size())
      group->second->buckets[bucket.index] = bucket.member;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StateReader> StateReader::Open() {
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  SRCSEL_ASSIGN_OR_RETURN(RouteAsker asker, RouteAsker::Open());
  return StateReader(std::move(socket), std::move(asker), NetnsFiles::Open());
}

absl::StatusOr<State> StateReader::Read() {
  State state;
  state.netns = netns();
  // First, because only this listing waits for a change whose announcement has already been heard
  // (RTNL; addresses, rules and routes are listed without it on Linux 6.18).
  SRCSEL_RETURN_IF_ERROR(Append(socket_, RTM_GETLINK, AF_UNSPEC, DecodeLink, state.links));
  state.device_order = ReadDeviceOrder(files_, state.links);
  state.settings = ReadSettings();
  SRCSEL_RETURN_IF_ERROR(
      Append(socket_, RTM_GETADDRLABEL, AF_INET6, DecodeAddressLabel, state.labels));
  SRCSEL_RETURN_IF_ERROR(
      Append(socket_, RTM_GETNEXTHOP, AF_UNSPEC, DecodeNexthopObject, state.nexthops));
  SRCSEL_RETURN_IF_ERROR(FillBuckets(socket_, state.nexthops));
  for (const int family : {AF_INET, AF_INET6}) {
    SRCSEL_RETURN_IF_ERROR(Append(socket_, RTM_GETADDR, family, DecodeAddress, state.addresses));
    SRCSEL_RETURN_IF_ERROR(Append(socket_, RTM_GETRULE, family, DecodeRule, state.rules));
    SRCSEL_RETURN_IF_ERROR(AppendRoutes(socket_, family, state.routes));
  }
  SRCSEL_RETURN_IF_ERROR(LearnSiblingTerms(asker_, state));
  AddUnlistedRoutes([this] { return files_.Ipv6Routes(); }, state);
  SRCSEL_ASSIGN_OR_RETURN(state.neighbours, ReadNeighbours());
  return state;
}

absl::StatusOr<std::vector<Neighbour>> StateReader::ReadNeighbours() {
  std::vector<Neighbour> all;
  for (const int family : {AF_INET, AF_INET6})
    SRCSEL_RETURN_IF_ERROR(Append(socket_, RTM_GETNEIGH, family, DecodeNeighbour, all));
  std::erase_if(all, [](const Neighbour &neighbour) {
    return neighbour.address.IsMulticast() || neighbour.address.IsUnspecified();
  });
  return all;
}

Settings StateReader::ReadSettings() const {
  return srcsel::ReadSettings(files_);
}

absl::StatusOr<bool> StateReader::Differs(const State &state) {
  if (ReadSettings() != state.settings) return true;
  std::vector<AddressLabel> labels;
  SRCSEL_RETURN_IF_ERROR(Append(socket_, RTM_GETADDRLABEL, AF_INET6, DecodeAddressLabel, labels));
  if (labels != state.labels) return true;
  std::vector<Link> links;
  SRCSEL_RETURN_IF_ERROR(Append(socket_, RTM_GETLINK, AF_UNSPEC, DecodeLink, links));
  return links != state.links;
}

}  // namespace srcsel
