#include "agent/open_sockets.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/rule_words.hh"
#include "base/directory.hh"
#include "policy/text_file.hh"
#include <srcsel/address.hh>

namespace srcsel {
namespace {

constexpr std::size_t kLargestList = std::size_t{64} << 20;

Fd OpenBelow(const Fd &directory, const std::string &name) {
  return Fd(openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

void ListProcesses(const Fd &cgroup, std::vector<pid_t> &pids) {
  const auto procs =
      ReadTextFile(absl::StrCat("/proc/self/fd/", cgroup.get(), "/cgroup.procs"), kLargestList);
  if (procs.ok())
    for (absl::string_view line : absl::StrSplit(*procs, '\n', absl::SkipEmpty())) {
      pid_t pid = 0;
      // 0: of a pid namespace that is not in sight.
      if (absl::SimpleAtoi(line, &pid) && pid > 0) pids.push_back(pid);
    }
  for (const std::string &name : NamesIn(cgroup))
    if (const Fd below = OpenBelow(cgroup, name)) ListProcesses(below, pids);
}

int OptionOf(const Fd &socket, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return getsockopt(socket.get(), SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

std::string ProtocolOf(const Fd &socket) {
  if (OptionOf(socket, SO_TYPE) == SOCK_RAW) return "raw";
  return ProtocolName(OptionOf(socket, SO_PROTOCOL));
}

// An address of a socket, "" if it has neither address nor port.
std::string Words(const sockaddr_storage &storage) {
  if (storage.ss_family == AF_INET) {
    const auto &in = reinterpret_cast<const sockaddr_in &>(storage);
    const IpAddress address = IpAddress::FromBytes(AF_INET, &in.sin_addr);
    if (address.IsUnspecified() && in.sin_port == 0) return "";
    return absl::StrCat(address.ToString(), ":", ntohs(in.sin_port));
  }
  const auto &in6 = reinterpret_cast<const sockaddr_in6 &>(storage);
  const IpAddress address = IpAddress::FromBytes(AF_INET6, &in6.sin6_addr);
  if (address.IsUnspecified() && in6.sin6_port == 0) return "";
  return absl::StrCat("[", address.ToString(), "]:", ntohs(in6.sin6_port));
}

template <typename Ask>
std::string EndOf(const Fd &socket, Ask ask) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (ask(socket.get(), reinterpret_cast<sockaddr *>(&storage), &size) != 0) return "";
  return Words(storage);
}

class Walk {
 public:
  explicit Walk(absl::FunctionRef<void(const OpenSocket &, const Fd &)> each) : each_(each) {}

  // Whether it could be looked into, or is gone.
  bool Visit(pid_t pid) {
    const Fd fds(
        open(absl::StrCat("/proc/", pid, "/fd").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fds) return errno == ENOENT || errno == ESRCH;
    // glibc 2.36 has wrappers, declared without extern "C".
    const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process) return errno == ESRCH;
    for (const std::string &name : NamesIn(fds))
      if (IsNew(fds, name) && !See(pid, process, name)) return false;
    return true;
  }

 private:
  // Whether it is a socket, and one not seen yet: "socket:[12345]".
  bool IsNew(const Fd &fds, const std::string &name) {
    char target[64];
    const ssize_t size = readlinkat(fds.get(), name.c_str(), target, sizeof(target));
    if (size <= 0) return false;
    const absl::string_view text(target, static_cast<std::size_t>(size));
    return absl::StartsWith(text, "socket:") && seen_.emplace(text).second;
  }

  bool See(pid_t pid, const Fd &process, const std::string &name) {
    int number = -1;
    if (!absl::SimpleAtoi(name, &number)) return true;
    const Fd socket(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!socket) return errno != EPERM;
    const int domain = OptionOf(socket, SO_DOMAIN);
    if (domain == AF_INET || domain == AF_INET6)
      each_({pid, number, ProtocolOf(socket), EndOf(socket, getsockname),
             EndOf(socket, getpeername), OptionOf(socket, SO_ACCEPTCONN) == 1},
            socket);
    return true;
  }

  absl::FunctionRef<void(const OpenSocket &, const Fd &)> each_;
  std::set<std::string> seen_;
};

}  // namespace

std::uint32_t ForEachOpenSocket(
    const Fd &cgroup, absl::FunctionRef<void(const OpenSocket &about, const Fd &socket)> each) {
  std::vector<pid_t> pids;
  ListProcesses(cgroup, pids);
  std::ranges::stable_partition(pids, [](pid_t pid) { return pid != getpid(); });
  Walk walk(each);
  std::uint32_t unseen = 0;
  for (const pid_t pid : pids)
    if (!walk.Visit(pid)) ++unseen;
  return unseen;
}

bool ForEachSocketOf(pid_t pid, absl::FunctionRef<void(const OpenSocket &, const Fd &)> each) {
  return Walk(each).Visit(pid);
}

}  // namespace srcsel
