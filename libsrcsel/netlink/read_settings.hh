// The sysctls of a network namespace that routing depends on, and what of it the kernel was built
// for.
//
// No kernel announces a change of them (but of forwarding and ignore_routes_with_linkdown, which
// Follower hears): whoever must know polls. A sysctl that the kernel has not got, or whose text is
// none of its kind, has the default that Settings gives it; there are no errors.
//
// Cost: 0.1 ms.

#pragma once

#include "netlink/netns_files.hh"
#include "state/settings.hh"

namespace srcsel {

Settings ReadSettings(const NetnsFiles &files);

}  // namespace srcsel
