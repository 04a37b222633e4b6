#include "agent/check_source.hh"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/socket_address.hh"
#include "base/fd.hh"
#include "base/in_netns.hh"
#include "base/status.hh"
#include "image/compile_policy.hh"

namespace srcsel {
namespace {

absl::Status TryBind(const IpAddress &address) {
  const SocketAddress source(address);
  const Fd socket(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || bind(socket.get(), source.get(), source.size) != 0)
    return absl::ErrnoToStatus(errno, address.ToString());
  return absl::OkStatus();
}

std::vector<std::string> AddressesOf(const State &state, int family) {
  std::vector<std::string> texts;
  for (const InterfaceAddress &a : state.addresses)
    if (a.local.family() == family && !a.local.IsLoopback() && !a.local.IsLinkLocal())
      texts.push_back(a.local.ToString());
  return texts;
}

bool IsBroadcast(const IpAddress &address, const State &state) {
  if (address == *IpAddress::Parse("255.255.255.255")) return true;
  const Prefix host{address, address.bits()};
  return std::ranges::any_of(state.routes.entries(), [&](const Routes::Entry &route) {
    return route.dst == host && state.routes.TermsOf(route).type == RTN_BROADCAST;
  });
}

// bind(2) also takes what no packet can leave this host with.
std::string Blemish(const IpAddress &address, const State &state) {
  if (address.IsUnspecified() || address.IsMulticast() || IsBroadcast(address, state))
    return "is not an address of a host";
  if (address.IsLoopback()) return "is a loopback address: no connection leaves this host with it";
  if (!address.is_v4() && address.IsLinkLocal())
    return "is a link-local address: bind() wants an interface with it, and a source names none";
  return "";
}

absl::Status TryAddress(const IpAddress &address, const State &state) {
  const std::string blemish = Blemish(address, state);
  if (blemish.empty()) return TryBind(address);
  return absl::InvalidArgumentError(absl::StrCat(address.ToString(), " ", blemish));
}

absl::Status CheckAddress(const IpAddress &address, const State &state) {
  absl::Status usable = TryAddress(address, state);
  if (usable.ok()) return usable;
  const std::vector<std::string> own = AddressesOf(state, address.family());
  return absl::Status(
      usable.code(),
      absl::StrCat(usable.message(), "; ",
                   own.empty() ? "this namespace has no address of that family"
                               : absl::StrCat("this namespace has ", absl::StrJoin(own, ", "))));
}

absl::Status CheckDevice(const DeviceSource &device, const std::vector<int> &families,
                         const State &state) {
  const auto link = std::ranges::find(state.links, device.name, &Link::name);
  if (link == state.links.end())
    return absl::NotFoundError(absl::StrCat(
        "dev ", device.name, ": no such interface; this namespace has ",
        absl::StrJoin(state.links, ", ",
                      [](std::string *out, const Link &l) { absl::StrAppend(out, l.name); })));
  if (!(link->flags & IFF_UP))
    return absl::FailedPreconditionError(
        absl::StrCat("dev ", device.name, ": the interface is down; ",
                     AsTyped(absl::StrCat("ip link set ", device.name, " up"))));
  const auto lends = [&](int family) { return AddressOf(state, device, family).has_value(); };
  if (std::ranges::any_of(families, lends)) return absl::OkStatus();
  const char *kind = families.size() != 1 ? "" : families[0] == AF_INET6 ? "IPv6 " : "IPv4 ";
  return absl::NotFoundError(
      absl::StrCat("dev ", device.name, ": the interface has no global ", kind,
                   "address to lend; add one with: ",
                   AsTyped(absl::StrCat("ip address add ADDR/LEN dev ", device.name))));
}

}  // namespace

absl::Status CheckSource(const Source &source, const std::vector<int> &families,
                         const State &state) {
  const auto *address = std::get_if<IpAddress>(&source);
  return address ? CheckAddress(*address, state)
                 : CheckDevice(std::get<DeviceSource>(source), families, state);
}

}  // namespace srcsel
