// Commands that are told, as somebody types them who is in another network namespace than the one
// they are for.
//
// A process that goes into the namespace that --netns names tells them to whoever stayed outside;
// `up`, what it tells of the namespace that it is in, to whoever reads its messages elsewhere.
// Not thread-safe: the process says so before it has threads.

#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace srcsel {

// `commands` ("ip rule add ... && ip rule del ...", with or without "  # " and words behind it) so
// that each does its work in `netns`, which is as --netns takes it: a name as `ip netns` knows it,
// or a path. Empty: the same commands.
std::string InNetns(const std::string &netns, absl::string_view commands);

// From now on, what this process tells is for that namespace.
void TellCommandsFor(const std::string &netns);

// InNetns() of that one.
std::string AsTyped(absl::string_view commands);

// Moves the calling thread there, and tells commands for it. Empty: it stays here.
absl::Status GoIntoNetns(const std::string &netns);

}  // namespace srcsel
