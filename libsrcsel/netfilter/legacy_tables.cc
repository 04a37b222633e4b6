#include "netfilter/legacy_tables.hh"

#include <sys/socket.h>

#include <cerrno>
#include <fstream>

namespace srcsel {

absl::StatusOr<std::vector<std::string>> LegacyTables(int family) {
  const std::string path = family == AF_INET ? "/proc/thread-self/net/ip_tables_names"
                                             : "/proc/thread-self/net/ip6_tables_names";
  std::ifstream file(path);
  if (!file && errno == ENOENT) return std::vector<std::string>();
  if (!file) return absl::ErrnoToStatus(errno, "open " + path);
  std::vector<std::string> names;
  for (std::string name; std::getline(file, name);) names.push_back(name);
  return names;
}

}  // namespace srcsel
