#include "netfilter/legacy_tables.hh"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr char kNames4[] = "/proc/thread-self/net/ip_tables_names";
constexpr char kNames6[] = "/proc/thread-self/net/ip6_tables_names";

struct V4 {
  using Entry = ipt_entry;
  using Info = ipt_getinfo;
  using Entries = ipt_get_entries;
  static constexpr int kLevel = IPPROTO_IP, kInfo = IPT_SO_GET_INFO, kEntries = IPT_SO_GET_ENTRIES;
};
struct V6 {
  using Entry = ip6t_entry;
  using Info = ip6t_getinfo;
  using Entries = ip6t_get_entries;
  static constexpr int kLevel = IPPROTO_IPV6, kInfo = IP6T_SO_GET_INFO,
                       kEntries = IP6T_SO_GET_ENTRIES;
};

// Hashes all but what a rule has counted, and where the kernel last came to it from.
template <typename V>
std::size_t HashRules(const std::string &rules) {
  using Entry = typename V::Entry;
  std::size_t digest = rules.size();
  for (std::size_t at = 0; at + sizeof(Entry) <= rules.size();) {
    Entry entry;
    std::memcpy(&entry, rules.data() + at, sizeof(entry));
    if (entry.next_offset < sizeof(Entry) || at + entry.next_offset > rules.size()) break;
    const absl::string_view all(rules.data() + at, entry.next_offset);
    digest =
        absl::HashOf(digest, all.substr(0, offsetof(Entry, comefrom)), all.substr(sizeof(Entry)));
    at += entry.next_offset;
  }
  return digest;
}

template <typename V>
absl::StatusOr<std::size_t> Digest(const Fd &socket, const std::string &table) {
  typename V::Info info{};
  table.copy(info.name, sizeof(info.name) - 1);
  socklen_t length = sizeof(info);
  if (getsockopt(socket.get(), V::kLevel, V::kInfo, &info, &length) != 0)
    return absl::ErrnoToStatus(errno, "look at table " + table);
  constexpr std::size_t kHead = offsetof(typename V::Entries, entrytable);
  typename V::Entries head{};
  table.copy(head.name, sizeof(head.name) - 1);
  head.size = info.size;
  std::string rules(sizeof(typename V::Entries) + info.size, '\0');
  std::memcpy(rules.data(), &head, kHead);
  length = static_cast<socklen_t>(rules.size());
  if (getsockopt(socket.get(), V::kLevel, V::kEntries, rules.data(), &length) != 0)
    return absl::ErrnoToStatus(errno, "look at the rules of table " + table);
  return HashRules<V>(rules.substr(kHead, info.size));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> LegacyTables(int family) {
  const std::string path = family == AF_INET ? kNames4 : kNames6;
  std::ifstream file(path);
  if (!file && errno == ENOENT) return std::vector<std::string>();
  if (!file) return absl::ErrnoToStatus(errno, "open " + path);
  std::vector<std::string> names;
  for (std::string name; std::getline(file, name);) names.push_back(name);
  return names;
}

absl::StatusOr<std::size_t> LegacyDigest(int family) {
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<std::string> tables, LegacyTables(family));
  std::size_t digest = 0;
  if (tables.empty()) return digest;
  const Fd socket(::socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!socket) return absl::ErrnoToStatus(errno, "look at iptables-legacy's tables: open a socket");
  for (const std::string &table : tables) {
    SRCSEL_ASSIGN_OR_RETURN(const std::size_t one, family == AF_INET ? Digest<V4>(socket, table)
                                                                     : Digest<V6>(socket, table));
    digest = absl::HashOf(digest, table, one);
  }
  return digest;
}

bool HasLegacyTables() {
  return access(kNames4, F_OK) == 0 || access(kNames6, F_OK) == 0;
}

}  // namespace srcsel
