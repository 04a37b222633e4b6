// Network namespaces: naming them, entering them, telling them apart.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"

namespace srcsel {

// Opens the namespace `name` means: a name as `ip netns` knows it, or a path if it has a slash.
absl::StatusOr<Fd> OpenNetns(absl::string_view name);

// The calling thread's namespace.
absl::StatusOr<Fd> OwnNetns();

// Moves the calling thread into the namespace.
absl::Status EnterNetns(const Fd &netns);

// The names that `ip netns` knows, sorted.
std::vector<std::string> NetnsNames();

// The name by which `ip netns` knows the calling thread's namespace; empty if it has none.
std::string OwnNetnsName();

bool SameNetns(const Fd &a, const Fd &b);

// The result of f() in the namespace; the calling thread stays where it is. Where that is another
// namespace, f() runs on a thread made for it, which needs CAP_SYS_ADMIN.
absl::Status CallInNetns(const Fd &netns, absl::FunctionRef<absl::Status()> f);

// SO_NETNS_COOKIE of the calling thread's namespace: never reused while the system is up.
absl::StatusOr<std::uint64_t> NetnsCookie();

}  // namespace srcsel
