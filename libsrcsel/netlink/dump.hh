// One attempt at one dump on a libnl socket: the loop inside NetlinkSocket::Dump().
//
// The whole answer is always read, whatever happens, because the kernel refuses the next request
// (EBUSY) while a dump is unfinished. Messages that are not of this request, and objects of another
// family than asked for, are left out: without IPv6 (ipv6.disable=1) the kernel answers an IPv6
// request for routes with the routes of every family it has.

#pragma once

#include <linux/netlink.h>

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct nl_sock;

namespace srcsel {

struct DumpRequest {
  int type = 0;    // RTM_GETLINK and so on, see NetlinkSocket::Dump()
  int family = 0;  // AF_UNSPEC: any

  // "dump IPv4 routes"
  std::string ToString() const;
};

// Whether the listing was consistent; if not, `each` has seen only a part of it.
absl::StatusOr<bool> DumpOnce(nl_sock *socket, const DumpRequest &request,
                              absl::FunctionRef<absl::Status(const nlmsghdr &)> each);

}  // namespace srcsel
