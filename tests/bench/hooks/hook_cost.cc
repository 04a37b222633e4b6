#include "bench/hooks/hook_cost.hh"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <random>

#include "base/netns.hh"
#include "base/status.hh"
#include "bench/hook_time.hh"
#include "bench/hooks/synthetic.hh"
#include "hooks/hooks.hh"
#include "image/compile.hh"
#include "lab/cgroup.hh"
#include "lab/host.hh"

namespace srcsel::bench {
namespace {

constexpr int kSockets = 20'000;
constexpr int kDestinations = 1000;

// Whatever the packet meets later, the hook has run.
void Reach(Hook hook, const sockaddr_in &to) {
  const auto *address = reinterpret_cast<const sockaddr *>(&to);
  if (hook == Hook::kConnect) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect(fd, address, sizeof(to));
    close(fd);
    return;
  }
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, "", 1, 0, address, sizeof(to));
  close(fd);
}

[[noreturn]] void ReachAll(Hook hook, const Fd &netns, const std::string &cgroup) {
  if (!(std::ofstream(cgroup + "/cgroup.procs") << 0) || !EnterNetns(netns).ok()) _exit(1);
  std::mt19937 random;
  for (int i = 0; i < kSockets; ++i) {
    if (i % kDestinations == 0) random.seed(3);
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

std::string NameOf(Action action) {
  switch (action) {
    case Action::kMark:
      return "mark";
    case Action::kSource:
      return "source";
    case Action::kTables:
      return "tables";
    case Action::kPool:
      return "pool";
    case Action::kPorts:
      return "ports";
  }
  return "?";
}

absl::StatusOr<double> HookCost(Hook hook, Action action, Scale scale) {
  SRCSEL_ASSIGN_OR_RETURN(const lab::Host host, lab::Host::Create("hooks"));
  SRCSEL_RETURN_IF_ERROR(host.Ip("link set lo up").status());
  SRCSEL_RETURN_IF_ERROR(host.Ip("route add default dev lo").status());
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t cookie,
                          lab::Within(host.netns().fd(), [] { return NetnsCookie(); }));
  const int routes = action == Action::kTables ? scale.prefixes : 0;
  SRCSEL_ASSIGN_OR_RETURN(
      const Image image, Compile(SyntheticHost(cookie, routes), SyntheticPolicy(action, scale), 1));
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, Hooks::Load());
  SRCSEL_RETURN_IF_ERROR(hooks.Publish(image.bytes()));
  SRCSEL_ASSIGN_OR_RETURN(const lab::TestCgroup cgroup, lab::TestCgroup::Create());
  const Fd directory(open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  SRCSEL_RETURN_IF_ERROR(hooks.Attach(directory));
  SRCSEL_ASSIGN_OR_RETURN(const Fd statistics, EnableBpfStatistics());
  SRCSEL_RETURN_IF_ERROR(ReachInChild(hook, host.netns().fd(), cgroup.path()));
  SRCSEL_ASSIGN_OR_RETURN(
      const HookTime time,
      ReadHookTime(cgroup.path(), hook == Hook::kConnect ? "srcsel_connect4" : "srcsel_sendmsg4"));
  return time.PerRun();
}

}  // namespace srcsel::bench
