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

Fd NewSocket(Hook hook) {
  const int type = hook == Hook::kConnect ? SOCK_STREAM : SOCK_DGRAM;
  return Fd(socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

// Whatever the packet meets later, the hook has run.
void Reach(Hook hook, const Fd &socket, const sockaddr_in &to) {
  const auto *address = reinterpret_cast<const sockaddr *>(&to);
  if (hook == Hook::kConnect)
    (void)connect(socket.get(), address, sizeof(to));
  else
    (void)sendto(socket.get(), "", 1, 0, address, sizeof(to));
}

[[noreturn]] void ReachAll(Hook hook, Sockets sockets, const Fd &netns, const std::string &cgroup) {
  if (!(std::ofstream(cgroup + "/cgroup.procs") << 0) || !EnterNetns(netns).ok()) _exit(1);
  std::mt19937 random(3);
  Fd socket = NewSocket(hook);
  for (int i = 0; i < kDestinations; ++i) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(443);
    to.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(random()) % 0xdf000000);
    Reach(hook, socket, to);
    if (sockets == Sockets::kMany) socket = NewSocket(hook);
  }
  _exit(0);
}

absl::Status ReachInChild(Hook hook, Sockets sockets, const Fd &netns, const std::string &cgroup) {
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) ReachAll(hook, sockets, netns, cgroup);
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

absl::StatusOr<double> Stage::Time(Hook hook, Sockets sockets, std::string_view program) const {
  SRCSEL_ASSIGN_OR_RETURN(const Fd statistics, EnableBpfStatistics());
  double least = std::numeric_limits<double>::infinity();
  HookTime before;
  for (int i = 0; i < kTimes; ++i) {
    SRCSEL_RETURN_IF_ERROR(ReachInChild(hook, sockets, host_.netns().fd(), cgroup_.path()));
    SRCSEL_ASSIGN_OR_RETURN(const HookTime after, ReadHookTime(cgroup_.path(), program));
    if (after.runs == before.runs) return absl::InternalError("the hook did not run");
    least = std::min(least, HookTime{after.runs - before.runs, after.ns - before.ns}.PerRun());
    before = after;
  }
  return least;
}

}  // namespace srcsel::bench
