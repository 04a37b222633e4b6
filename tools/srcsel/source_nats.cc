#include "source_nats.hh"

#include <sys/socket.h>

#include <fstream>

namespace srcsel {
namespace {

bool Forwards(int family) {
  const char *path = family == AF_INET ? "/proc/sys/net/ipv4/conf/all/forwarding"
                                       : "/proc/sys/net/ipv6/conf/all/forwarding";
  std::ifstream file(path);
  int on = 0;
  return file >> on && on != 0;
}

}  // namespace

std::vector<std::string> NamesOf(const std::vector<NfSourceNat> &nats) {
  std::vector<std::string> names;
  for (const NfSourceNat &nat : nats) names.push_back(nat.name);
  return names;
}

SourceNats SortSourceNats(const NfRuleSet &rules) {
  SourceNats sorted;
  for (const NfSourceNat &nat : rules.source_nats) {
    const bool forwards = (nat.v4 && Forwards(AF_INET)) || (nat.v6 && Forwards(AF_INET6));
    (forwards ? sorted.forwarding : sorted.needless).push_back(nat);
  }
  return sorted;
}

}  // namespace srcsel
