#include "bench/routes/effects.hh"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "agent/run.hh"
#include "base/netns.hh"
#include "bench/routes/connector.hh"
#include "hooks/hooks.hh"
#include "image/compile.hh"
#include "lab/cgroup.hh"
#include <srcsel/mirror.hh>

namespace srcsel::bench {
namespace {

constexpr std::uint32_t kMark = 100;  // leads to the table of the same number

double Seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// An address of its own to go to, and the two it is gone to from in turn.
struct Turns {
  explicit Turns(const Host &host)
      : v4(host.addresses()[0].is_v4()),
        to(*IpAddress::Parse(v4 ? "198.18.0.1" : "2001:2::1")),
        sources{*IpAddress::Parse(v4 ? "10.0.0.201" : "fd00::201"),
                *IpAddress::Parse(v4 ? "10.0.0.202" : "fd00::202")} {
    for (const IpAddress &source : sources)
      OrDie(host.Ip(absl::StrCat("address replace ", source.ToString(), v4 ? "/32" : "/128",
                                 " dev v0", v4 ? "" : " nodad")));
    OrDie(host.Ip(absl::StrCat("route replace ", to.ToString(), " dev v0")));
  }

  const IpAddress &Next() { return sources[++turn % 2]; }

  const bool v4;
  const IpAddress to;
  const std::array<IpAddress, 2> sources;
  std::size_t turn = 0;
};

// Until a publishing that hooks have seen is over for him who does it, too.
void WaitForGracePeriods() {
  for (int i = 0; i < 2; ++i) syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0);
}

PolicyRule Marking() {
  PolicyRule rule;
  rule.mark = Mark{kMark, 0xffffffff};
  rule.apply = Apply::kBind;
  return rule;
}

}  // namespace

void Publish(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  Turns turns(host);
  std::array<std::unique_ptr<const Image>, 2> images;
  for (std::size_t i = 0; i < images.size(); ++i) {
    PolicyRule rule, elsewhere = Marking();
    rule.to = {{turns.to, turns.to.bits()}};
    rule.sources = {turns.sources[i]};
    images[i] = std::make_unique<const Image>(
        OrDie(Compile(host.snapshot().state(), {{rule, elsewhere}}, i + 1)));
  }
  Hooks hooks = OrDie(Hooks::Load());
  const lab::TestCgroup cgroup = OrDie(lab::TestCgroup::Create());
  const Fd directory(open(cgroup.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  OrDie(hooks.Attach(directory));
  OrDie(hooks.Publish(images[0]->bytes()));
  const auto connector = OrDie(Connector::Start(turns.to, [&] {
    std::ofstream(cgroup.path() + "/cgroup.procs") << 0;
    return EnterNetns(host.netns());
  }));
  OrDie(connector->WaitFor(turns.sources[0]).status());
  double calls = 0;
  for (auto _ : state) {
    const IpAddress &source = turns.Next();
    const Clock::time_point start = Clock::now();
    OrDie(hooks.Publish(images[turns.turn % 2]->bytes()));
    calls += Seconds(Clock::now() - start);
    const Clock::time_point seen = OrDie(connector->WaitFor(source));
    state.SetIterationTime(Seconds(seen - start));
  }
  state.counters["call_ms"] = benchmark::Counter(calls * 1e3, benchmark::Counter::kAvgIterations);
  state.counters["image_MB"] = static_cast<double>(images[0]->bytes().size()) / 1e6;
}

void ChangeToHook(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  Turns turns(host);
  const DefaultRouteChanger changer = OrDie(DefaultRouteChanger::Open(host, kMark));
  OrDie(changer.ReplaceWith(turns.sources[0]));
  const auto connector = OrDie(Connector::Start(turns.to, [&] {
    const absl::Status entered = EnterNetns(host.netns());
    return entered.ok() ? EnterPolicy({{Marking()}}, "").status() : entered;
  }));
  OrDie(connector->WaitFor(turns.sources[0]).status());
  for (auto _ : state) {
    const IpAddress &source = turns.Next();
    const Clock::time_point start = Clock::now();
    OrDie(changer.ReplaceWith(source));
    const Clock::time_point seen = OrDie(connector->WaitFor(source));
    state.SetIterationTime(Seconds(seen - start));
    WaitForGracePeriods();
  }
}

void ChangeToSelect(benchmark::State &state, const Size &size) {
  const Host &host = HostOf(size);
  Turns turns(host);
  const DefaultRouteChanger changer = OrDie(DefaultRouteChanger::Open(host, kMark));
  OrDie(changer.ReplaceWith(turns.sources[0]));
  const auto mirror = OrDie(Mirror::Open({.netns = host.netns_path(), .threadless = true}));
  const Flow flow = {.destination = turns.to, .dport = 443, .mark = kMark};
  for (auto _ : state) {
    const IpAddress &source = turns.Next();
    const Clock::time_point start = Clock::now();
    OrDie(changer.ReplaceWith(source));
    while (OrDie(mirror->Select(flow)).outcome.source != source) {
      pollfd polled = {mirror->fd(), POLLIN, 0};
      poll(&polled, 1, -1);
      OrDie(mirror->Process());
    }
    state.SetIterationTime(Seconds(Clock::now() - start));
  }
}

}  // namespace srcsel::bench
