#include "netlink/read_settings.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/fd.hh"

namespace srcsel {
namespace {

template <typename T>
bool Parse(absl::string_view text, T &value) {
  std::int64_t number;
  if (!absl::SimpleAtoi(text, &number)) return false;
  if constexpr (std::is_same_v<T, bool>) {
    value = number != 0;
  } else {
    if (!std::in_range<T>(number)) return false;
    value = static_cast<T>(number);
  }
  return true;
}

class Sysctls {
 public:
  explicit Sysctls(const NetnsFiles &files) : files_(files) {}

  template <typename T>
  void Get(int family, const char *path, T &value) const {
    if (const auto text = files_.Sysctl(family, path)) Parse(*text, value);
  }

  void GetRange(int family, const char *path, std::uint16_t &first, std::uint16_t &last) const {
    const std::string text = files_.Sysctl(family, path).value_or("");
    const std::vector<absl::string_view> words =
        absl::StrSplit(text, absl::ByAnyChar(" \t\n"), absl::SkipEmpty());
    std::uint16_t low, high;
    if (words.size() != 2 || !Parse(words[0], low) || !Parse(words[1], high)) return;
    first = low;
    last = high;
  }

 private:
  const NetnsFiles &files_;
};

// Routing headers of type 2 are for mobility, and refused by a kernel without it.
bool KnowsMobility6() {
  const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::array<std::uint8_t, 24> header = {0, 2, 2, 1};
  return setsockopt(socket.get(), IPPROTO_IPV6, IPV6_RTHDR, header.data(), header.size()) == 0;
}

}  // namespace

Settings ReadSettings(const NetnsFiles &files) {
  const Sysctls sysctls(files);
  Settings s;
  for (const int family : {AF_INET, AF_INET6}) {
    const int i = family == AF_INET6;
    sysctls.Get(family, "ip_nonlocal_bind", s.ip_nonlocal_bind[i]);
    sysctls.Get(family, "fib_multipath_hash_policy", s.multipath_policy[i]);
    sysctls.Get(family, "fib_multipath_hash_fields", s.multipath_fields[i]);
  }
  sysctls.Get(AF_INET, "conf/all/route_localnet", s.route_localnet_all);
  sysctls.Get(AF_INET, "conf/all/ignore_routes_with_linkdown", s.ignore_linkdown_all);
  sysctls.Get(AF_INET, "fib_multipath_hash_seed", s.multipath_seed);
  sysctls.Get(AF_INET, "fib_multipath_use_neigh", s.multipath_use_neigh);
  sysctls.GetRange(AF_INET, "ip_local_port_range", s.port_first, s.port_last);
  sysctls.Get(AF_INET6, "conf/all/forwarding", s.forwarding6_all);
  sysctls.Get(AF_INET6, "conf/all/optimistic_dad", s.optimistic_dad_all);
  sysctls.Get(AF_INET6, "conf/all/use_optimistic", s.use_optimistic_all);
  static const bool mobility6 = KnowsMobility6();
  s.mobility6 = mobility6;
  return s;
}

}  // namespace srcsel
