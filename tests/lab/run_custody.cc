#include "lab/run_custody.hh"

#include <fcntl.h>
#include <poll.h>

#include <array>

#include <bpf/bpf.h>

#include <cerrno>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lab/run_eventually.hh"
#include "lab/spawn.hh"

namespace srcsel::lab {
namespace {

std::string NameOf(pid_t pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/comm"));
  std::string name;
  std::getline(file, name);
  return name;
}

bool Exists(std::uint32_t program) {
  return static_cast<bool>(Fd(bpf_prog_get_fd_by_id(program)));
}

}  // namespace

absl::StatusOr<pid_t> FindCustodian(const TestCgroup &cgroup, Deadline deadline) {
  pid_t found = -1;
  const auto look = [&] {
    for (const pid_t pid : cgroup.procs())
      if (NameOf(pid) == "srcsel-custody") found = pid;
    return found > 0;
  };
  if (!Eventually(look, deadline))
    return absl::DeadlineExceededError("wait for a custodian in " + cgroup.path());
  return found;
}

absl::StatusOr<Fd> OpenCgroup(const std::string &path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return absl::ErrnoToStatus(errno, "open cgroup " + path);
  return fd;
}

absl::StatusOr<std::set<std::uint32_t>> ProgramIds(const std::string &cgroup) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd fd, OpenCgroup(cgroup));
  std::set<std::uint32_t> all;
  for (const bpf_attach_type type : {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT,
                                     BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET6_BIND}) {
    std::array<std::uint32_t, 16> ids{};
    std::uint32_t count = ids.size();
    if (bpf_prog_query(fd.get(), type, 0, nullptr, ids.data(), &count) != 0)
      return absl::ErrnoToStatus(errno, "list the programs of " + cgroup);
    all.insert(ids.begin(), ids.begin() + count);
  }
  return all;
}

absl::Status WaitUntilUnloaded(const std::set<std::uint32_t> &ids, Deadline deadline) {
  for (const std::uint32_t id : ids)
    if (!Eventually([id] { return !Exists(id); }, deadline))
      return absl::DeadlineExceededError(absl::StrCat("wait for the end of BPF program ", id));
  return absl::OkStatus();
}

absl::Status WaitUntilEnded(pid_t pid, Deadline deadline) {
  const Fd process = OpenPidfd(pid);
  if (!process) return absl::OkStatus();
  pollfd ended{process.get(), POLLIN, 0};
  if (poll(&ended, 1, deadline.PollTimeout()) == 1) return absl::OkStatus();
  return absl::DeadlineExceededError(absl::StrCat("wait for the end of process ", pid));
}

absl::StatusOr<Counters> CountersOf(const std::string &cgroup) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd fd, OpenCgroup(cgroup));
  return ReadCounters(fd);
}

}  // namespace srcsel::lab
