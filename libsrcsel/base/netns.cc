#include "base/netns.hh"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/directory.hh"
#include "base/status.hh"
#include "base/thread.hh"

namespace srcsel {

absl::StatusOr<Fd> OpenNetns(absl::string_view name) {
  const std::string path = name.find('/') == absl::string_view::npos
                               ? absl::StrCat("/run/netns/", name)
                               : std::string(name);
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return absl::ErrnoToStatus(
        errno, absl::StrCat("open network namespace ", path, " (`ip netns list` knows the names)"));
  struct statfs fs;
  if (fstatfs(fd.get(), &fs) != 0 || fs.f_type != NSFS_MAGIC ||
      ioctl(fd.get(), NS_GET_NSTYPE) != CLONE_NEWNET)
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a network namespace"));
  return fd;
}

absl::StatusOr<Fd> OwnNetns() {
  Fd fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!fd) return absl::ErrnoToStatus(errno, "open /proc/thread-self/ns/net");
  return fd;
}

std::vector<std::string> NetnsNames() {
  const Fd directory(open("/run/netns", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> names = NamesIn(directory);
  std::ranges::sort(names);
  return names;
}

std::string OwnNetnsName() {
  const absl::StatusOr<Fd> own = OwnNetns();
  if (!own.ok()) return "";
  for (const std::string &name : NetnsNames())
    if (const absl::StatusOr<Fd> netns = OpenNetns(name); netns.ok() && SameNetns(*own, *netns))
      return name;
  return "";
}

absl::Status EnterNetns(const Fd &netns) {
  if (setns(netns.get(), CLONE_NEWNET) != 0)
    return absl::ErrnoToStatus(errno, "enter network namespace");
  return absl::OkStatus();
}

bool SameNetns(const Fd &a, const Fd &b) {
  struct stat one, other;
  return fstat(a.get(), &one) == 0 && fstat(b.get(), &other) == 0 && one.st_dev == other.st_dev &&
         one.st_ino == other.st_ino;
}

absl::Status CallInNetns(const Fd &netns, absl::FunctionRef<absl::Status()> f) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd own, OwnNetns());
  if (SameNetns(own, netns)) return f();
  absl::Status result;
  SRCSEL_ASSIGN_OR_RETURN(std::thread visitor, StartThread([&] {
                            result = EnterNetns(netns);
                            if (result.ok()) result = f();
                          }));
  visitor.join();
  return result;
}

absl::StatusOr<std::uint64_t> NetnsCookie() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  if (!socket || getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0)
    return absl::ErrnoToStatus(errno, "read SO_NETNS_COOKIE (Linux 5.14 or later)");
  return cookie;
}

}  // namespace srcsel
