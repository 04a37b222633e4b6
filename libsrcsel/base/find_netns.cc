#include "base/find_netns.hh"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/netns.hh"
#include "base/processes.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

absl::StatusOr<std::uint64_t> CookieOf(const Fd &netns) {
  std::uint64_t cookie = 0;
  SRCSEL_RETURN_IF_ERROR(CallInNetns(netns, [&] {
    const absl::StatusOr<std::uint64_t> own = NetnsCookie();
    if (own.ok()) cookie = *own;
    return own.status();
  }));
  return cookie;
}

}  // namespace

absl::StatusOr<FoundNetns> FindNetns(std::uint64_t cookie, const std::string &name) {
  const auto is = [cookie](const absl::StatusOr<Fd> &netns) {
    return netns.ok() && CookieOf(*netns).value_or(0) == cookie;
  };
  if (!name.empty())
    if (absl::StatusOr<Fd> named = OpenNetns(name); is(named))
      return FoundNetns{*std::move(named), name};
  if (absl::StatusOr<Fd> own = OwnNetns(); is(own)) return FoundNetns{*std::move(own), ""};
  std::vector<std::string> others = NetnsNames();
  for (const pid_t pid : OnePerNamespace("net"))
    others.push_back(absl::StrCat("/proc/", pid, "/ns/net"));
  for (std::string &other : others)
    if (absl::StatusOr<Fd> netns = OpenNetns(other); is(netns))
      return FoundNetns{*std::move(netns), std::move(other)};
  return absl::NotFoundError(absl::StrCat("find the network namespace with cookie ", cookie,
                                          ": no name leads to it, and no process is in it"));
}

}  // namespace srcsel
