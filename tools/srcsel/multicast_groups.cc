#include "multicast_groups.hh"

#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace srcsel {

// A line an interface, "2	eth0      :     1      V3", then one a group, four tabs and the
// address as a hexadecimal number of this host's byte order, "				010000E0 1
// ...".
MulticastGroups MulticastGroups::Read() {
  MulticastGroups groups;
  std::ifstream file("/proc/thread-self/net/igmp");
  std::uint32_t ifindex = 0, address = 0;
  for (std::string line; std::getline(file, line);) {
    const absl::string_view text = line;
    if (text.substr(0, 4) != "\t\t\t\t")
      (void)absl::SimpleAtoi(text.substr(0, text.find('\t')), &ifindex);
    else if (absl::SimpleHexAtoi(text.substr(4, 8), &address))
      groups.joined_.emplace(ifindex, IpAddress::FromBytes(AF_INET, &address));
  }
  return groups;
}

}  // namespace srcsel
