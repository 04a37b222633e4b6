#include "lab/netns.hh"

#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel::lab {

absl::StatusOr<Netns> Netns::Create() {
  absl::StatusOr<Fd> fd = absl::UnknownError("the thread did not run");
  std::thread([&] {
    if (unshare(CLONE_NEWNET) != 0)
      fd = absl::ErrnoToStatus(errno, "make a network namespace");
    else
      fd = OpenNetns("/proc/thread-self/ns/net");
  }).join();
  if (!fd.ok()) return fd.status();
  return Netns(*std::move(fd));
}

std::string Netns::Path() const {
  return absl::StrCat("/proc/", getpid(), "/fd/", fd_.get());
}

}  // namespace srcsel::lab
