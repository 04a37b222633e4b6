// What a network namespace tells by files and ioctls, and by no netlink message.
//
// Contract: belongs to the network namespace the calling thread was in at Open(), wherever the
// thread goes later. /proc/sys/net and /proc/net themselves show the namespace of whoever looks;
// a directory below /proc/sys/net and an open file of /proc/net stay what they were (Linux 6.18),
// so those are held. Move-only; all is closed on destruction and on exec. Const functions may be
// called from several threads at once.
//
// Nothing here fails: what the kernel has not got, or where /proc is not mounted, is absent.
// Cost: Open() is six system calls, a reading three, and one for each 4 kB.

#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "base/fd.hh"

namespace srcsel {

class NetnsFiles {
 public:
  static NetnsFiles Open();

  // The text of net.ipv4.<path> or net.ipv6.<path>, slashes for dots: "conf/all/forwarding".
  std::optional<std::string> Sysctl(int family, const char *path) const;
  // The texts of /proc/net/igmp6 and /proc/net/ipv6_route.
  std::string Igmp6() const;
  std::string Ipv6Routes() const;
  // The labels of all IPv4 addresses, device by device (SIOCGIFCONF).
  std::vector<std::string> Ipv4Labels() const;

 private:
  NetnsFiles() = default;

  std::array<Fd, 2> sysctls_;  // IPv4, IPv6
  Fd igmp6_, ipv6_routes_;
  Fd socket_;
};

}  // namespace srcsel
