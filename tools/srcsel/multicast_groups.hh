// Which IPv4 multicast groups the interfaces of the calling thread's namespace have joined: what
// goes to such a group comes back to this host too. From /proc/net/igmp; empty without it.

#pragma once

#include <cstdint>
#include <set>
#include <utility>

#include <srcsel/address.hh>

namespace srcsel {

class MulticastGroups {
 public:
  static MulticastGroups Read();

  bool Joined(std::uint32_t ifindex, const IpAddress &group) const {
    return joined_.contains({ifindex, group});
  }

 private:
  std::set<std::pair<std::uint32_t, IpAddress>> joined_;
};

}  // namespace srcsel
