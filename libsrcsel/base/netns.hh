// Network namespaces: naming them, entering them, telling them apart.

#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"

namespace srcsel {

// Opens the namespace `name` means: a name as `ip netns` knows it, or a path if it has a slash.
absl::StatusOr<Fd> OpenNetns(absl::string_view name);

// Moves the calling thread into the namespace.
absl::Status EnterNetns(const Fd &netns);

// SO_NETNS_COOKIE of the calling thread's namespace: never reused while the system is up.
absl::StatusOr<std::uint64_t> NetnsCookie();

}  // namespace srcsel
