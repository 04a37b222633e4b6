#include "netlink/netns_files.hh"

#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

namespace srcsel {
namespace {

constexpr std::size_t kReadBytes = 4096;

std::string ReadAll(const Fd &file) {
  std::string text;
  char chunk[kReadBytes];
  for (;;) {
    const ssize_t size = pread(file.get(), chunk, sizeof(chunk), static_cast<off_t>(text.size()));
    if (size <= 0) return text;
    text.append(chunk, static_cast<std::size_t>(size));
  }
}

// All that SIOCGIFCONF has to say; the kernel fills what it is given and says no more than that.
std::vector<ifreq> InterfaceRequests(const Fd &socket) {
  ifconf conf{};
  for (std::size_t room = 64;; room *= 2) {
    std::vector<ifreq> requests(room);
    conf.ifc_len = static_cast<int>(room * sizeof(ifreq));
    conf.ifc_req = requests.data();
    if (ioctl(socket.get(), SIOCGIFCONF, &conf) != 0) return {};
    const std::size_t filled = static_cast<std::size_t>(conf.ifc_len) / sizeof(ifreq);
    requests.resize(filled);
    if (filled < room) return requests;
  }
}

}  // namespace

NetnsFiles NetnsFiles::Open() {
  constexpr int kDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;
  NetnsFiles files;
  files.sysctls_[0].reset(open("/proc/sys/net/ipv4", kDirectory));
  files.sysctls_[1].reset(open("/proc/sys/net/ipv6", kDirectory));
  files.igmp6_.reset(open("/proc/thread-self/net/igmp6", O_RDONLY | O_CLOEXEC));
  files.ipv6_routes_.reset(open("/proc/thread-self/net/ipv6_route", O_RDONLY | O_CLOEXEC));
  files.socket_.reset(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return files;
}

std::optional<std::string> NetnsFiles::Sysctl(int family, const char *path) const {
  const Fd &directory = sysctls_[family == AF_INET6];
  if (!directory) return std::nullopt;
  const Fd file(openat(directory.get(), path, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  return ReadAll(file);
}

std::string NetnsFiles::Igmp6() const {
  return igmp6_ ? ReadAll(igmp6_) : std::string();
}

std::string NetnsFiles::Ipv6Routes() const {
  return ipv6_routes_ ? ReadAll(ipv6_routes_) : std::string();
}

std::vector<std::string> NetnsFiles::Ipv4Labels() const {
  std::vector<std::string> labels;
  for (const ifreq &request : InterfaceRequests(socket_))
    labels.emplace_back(request.ifr_name, strnlen(request.ifr_name, sizeof(request.ifr_name)));
  return labels;
}

}  // namespace srcsel
