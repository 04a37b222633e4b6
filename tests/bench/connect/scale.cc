#include "bench/connect/scale.hh"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <random>

#include "base/netns.hh"
#include "base/status.hh"
#include "bench/connect/hook_time.hh"
#include "image/compile.hh"
#include "lab/host.hh"

namespace srcsel::bench {
namespace {

constexpr int kConnects = 200'000;
constexpr int kDestinations = 1000;
constexpr std::uint32_t kMarkValue = 100;

Prefix RandomPrefix(std::mt19937 &random) {
  const int length = std::uniform_int_distribution(12, 24)(random);
  const std::uint32_t bits = htonl(static_cast<std::uint32_t>(random()) % 0xdf000000);
  return Prefix{IpAddress::FromBytes(AF_INET, &bits), length}.Network();
}

Route MainRoute(const Prefix &dst, std::uint32_t table, const IpAddress &source) {
  Route route;
  route.dst = dst;
  route.table = table;
  route.type = RTN_UNICAST;
  route.prefsrc = source;
  route.nexthops = {{1, std::nullopt}};
  return route;
}

State SyntheticHost(std::uint64_t netns, const Scale &scale) {
  const IpAddress source = *IpAddress::Parse("127.0.0.1");
  State state;
  state.netns = netns;
  state.links = {{1, "lo"}};
  Rule local, marked, main;
  local.table = RT_TABLE_LOCAL;
  marked.pref = 100;
  marked.mark = kMarkValue;
  marked.mark_mask = ~0u;
  marked.table = 100;
  main.pref = 32766;
  main.table = RT_TABLE_MAIN;
  state.rules = {local, marked, main};
  Route own = MainRoute(*Prefix::Parse("127.0.0.0/8"), RT_TABLE_LOCAL, source);
  own.type = RTN_LOCAL;
  state.routes = std::vector<Route>{own, MainRoute(Prefix::Default(AF_INET), 100, source),
                                    MainRoute(Prefix::Default(AF_INET), RT_TABLE_MAIN, source)};
  std::mt19937 random(1);
  for (int i = 0; i < scale.prefixes; ++i)
    state.routes.push_back(MainRoute(RandomPrefix(random), RT_TABLE_MAIN, source));
  return state;
}

PolicyRule RuleOf(Way way) {
  PolicyRule rule;
  if (way == Way::kSource) {
    rule.sources = {*IpAddress::Parse("127.0.0.2")};
    return rule;
  }
  rule.mark = Mark{kMarkValue};
  if (way == Way::kTables) rule.apply = Apply::kBind;
  return rule;
}

// All but the last rule have their share of the prefixes, nested ones the same rule, as operators'
// lists of networks are.
Policy SyntheticPolicy(Way way, const Scale &scale) {
  Policy policy;
  policy.rules.assign(static_cast<std::size_t>(scale.policy_rules), RuleOf(way));
  std::mt19937 random(2);
  for (int i = 0; i < scale.prefixes && scale.policy_rules > 1; ++i) {
    const Prefix to = RandomPrefix(random);
    const int block = to.address.bytes()[0] << 4 | to.address.bytes()[1] >> 4;
    policy.rules[static_cast<std::size_t>(block % (scale.policy_rules - 1))].to.push_back(to);
  }
  return policy;
}

[[noreturn]] void ConnectAround(const Fd &netns, const std::string &cgroup) {
  if (!(std::ofstream(cgroup + "/cgroup.procs") << 0) || !EnterNetns(netns).ok()) _exit(1);
  std::mt19937 random;
  for (int i = 0; i < kConnects; ++i) {
    if (i % kDestinations == 0) random.seed(3);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(443);
    to.sin_addr.s_addr = htonl(static_cast<std::uint32_t>(random()) % 0xdf000000);
    if (connect(fd, reinterpret_cast<sockaddr *>(&to), sizeof(to)) != 0) _exit(1);
    close(fd);
  }
  _exit(0);
}

}  // namespace

absl::StatusOr<double> HookTimeAt(Way way, Scale scale) {
  SRCSEL_ASSIGN_OR_RETURN(const lab::Host host, lab::Host::Create("scale"));
  SRCSEL_RETURN_IF_ERROR(host.Ip("link set lo up").status());
  SRCSEL_RETURN_IF_ERROR(host.Ip("route add default dev lo").status());
  SRCSEL_ASSIGN_OR_RETURN(const std::uint64_t cookie,
                          lab::Within(host.netns().fd(), [] { return NetnsCookie(); }));
  SRCSEL_ASSIGN_OR_RETURN(const Image image,
                          Compile(SyntheticHost(cookie, scale), SyntheticPolicy(way, scale), 1));
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, Hooks::Load());
  SRCSEL_RETURN_IF_ERROR(hooks.Publish(image.bytes()));
  SRCSEL_ASSIGN_OR_RETURN(const lab::TestCgroup cgroup, lab::TestCgroup::Create());
  const Fd directory(open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  SRCSEL_RETURN_IF_ERROR(hooks.Attach(directory));

  SRCSEL_ASSIGN_OR_RETURN(const Fd statistics, EnableBpfStatistics());
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "fork");
  if (child == 0) ConnectAround(host.netns().fd(), cgroup.path());
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) return absl::InternalError("the connecting process failed");
  SRCSEL_ASSIGN_OR_RETURN(const HookTime time, ReadHookTime(cgroup.path()));
  return time.PerRun();
}

}  // namespace srcsel::bench
