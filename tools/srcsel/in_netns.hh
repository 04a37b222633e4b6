// A remedy, as it is typed by somebody who is in another network namespace than the one it mends.

#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace srcsel {

// `commands` ("ip rule add ... && ip rule del ...", with or without "  # " and words behind it) so
// that each does its work in `netns`, which is as --netns takes it: a name as `ip netns` knows it,
// or a path. Empty: the same commands.
std::string InNetns(const std::string &netns, absl::string_view commands);

}  // namespace srcsel
