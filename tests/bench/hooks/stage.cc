#include "bench/hooks/stage.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <utility>

#include "base/netns.hh"
#include "base/status.hh"
#include "bench/hook_time.hh"

namespace srcsel::bench {
namespace {

constexpr int kDestinations = 1000;
constexpr int kTimes = 20;

// Whatever the packet meets later, the hook has run.
void Reach(Hook hook, const sockaddr_in &to) {
  const auto *address = reinterpret_cast<const sockaddr *>(&to);
  if (hook == Hook::kConnect) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)connect(fd, address, sizeof(to));
    close(fd);
    return;
  }
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, "", 1, 0, address, sizeof(to));
  close(fd);
}

[[noreturn]] void ReachAll(Hook hook, const Fd &netns, const std::string &cgroup) {
  if (!(std::ofstream(cgroup + "/cgroup.procs") << 0) || !EnterNetns(netns).ok()) _exit(1);
  std::mt19937 random(3);
  for (int i = 0; i < kDestinations; ++i) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(443);
    to.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(random()) % 0xdf000000);
    Reach(hook, to);
  }
  _exit(0);
}

absl::Status ReachInChild(Hook hook, const Fd &netns, const std::string &cgroup) {
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) ReachAll(hook, netns, cgroup);
  int status = 0;
  waitpid(child, &status, 0);
  return status == 0 ? absl::OkStatus() : absl::InternalError("the connecting process failed");
}

}  // namespace

absl::StatusOr<Stage> Stage::Create() {
  SRCSEL_ASSIGN_OR_RETURN(lab::Host host, lab::Host::Create("hooks"));
  SRCSEL_RETURN_IF_ERROR(host.Ip("link set lo up").status());
  SRCSEL_RETURN_IF_ERROR(host.Ip("route add default dev lo").status());
  SRCSEL_ASSIGN_OR_RETURN(lab::TestCgroup cgroup, lab::TestCgroup::Create());
  Fd directory(open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return absl::ErrnoToStatus(errno, "open " + cgroup.path());
  return Stage(std::move(host), std::move(cgroup), std::move(directory));
}

absl::StatusOr<std::uint64_t> Stage::Cookie() const {
  return lab::Within(host_.netns().fd(), [] { return NetnsCookie(); });
}

absl::StatusOr<double> Stage::Time(Hook hook, std::string_view program) const {
  SRCSEL_ASSIGN_OR_RETURN(const Fd statistics, EnableBpfStatistics());
  double least = std::numeric_limits<double>::infinity();
  HookTime before;
  for (int i = 0; i < kTimes; ++i) {
    SRCSEL_RETURN_IF_ERROR(ReachInChild(hook, host_.netns().fd(), cgroup_.path()));
    SRCSEL_ASSIGN_OR_RETURN(const HookTime after, ReadHookTime(cgroup_.path(), program));
    if (after.runs == before.runs) return absl::InternalError("the hook did not run");
    least = std::min(least, HookTime{after.runs - before.runs, after.ns - before.ns}.PerRun());
    before = after;
  }
  return least;
}

}  // namespace srcsel::bench
