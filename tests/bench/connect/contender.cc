#include "bench/connect/contender.hh"

#include <fcntl.h>

#include <utility>

#include "base/status.hh"
#include "lab/netns.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::bench {
namespace {

constexpr std::uint16_t kPort = 80;  // the port that MarkOutput() marks

lab::Endpoint Server() {
  return {*IpAddress::Parse(lab::kServer4), kPort};
}

IpAddress Unicom() {
  return *IpAddress::Parse(lab::kUnicomSource4);
}

std::shared_ptr<const Pool> BothOfUnicom() {
  Pool pool;
  pool.name = "unicom";
  for (const char *source : {lab::kUnicomSource4, lab::kUnicomOtherSource4})
    pool.members.push_back({*IpAddress::Parse(source), 1});
  return std::make_shared<const Pool>(std::move(pool));
}

std::optional<Policy> PolicyOf(Way way) {
  PolicyRule rule;
  switch (way) {
    case Way::kBare:
    case Way::kMarked:
    case Way::kMasquerade:
      return std::nullopt;
    case Way::kMark:
      rule.mark = Mark{100};
      break;
    case Way::kSource:
      rule.sources = {Unicom()};
      break;
    case Way::kPool:
      rule.pool = BothOfUnicom();
      break;
    case Way::kPorts:
      rule.sources = {Unicom()};
      rule.ports = Range16{20000, 39999};
      break;
    case Way::kTables:
      rule.mark = Mark{100};
      rule.apply = Apply::kBind;
      break;
  }
  return Policy{{rule}};
}

}  // namespace

std::string NameOf(Way way) {
  switch (way) {
    case Way::kBare:
      return "bare";
    case Way::kMark:
      return "mark";
    case Way::kSource:
      return "source";
    case Way::kPool:
      return "pool";
    case Way::kPorts:
      return "ports";
    case Way::kMarked:
      return "marked";
    case Way::kTables:
      return "tables";
    case Way::kMasquerade:
      return "masquerade";
  }
  return "?";
}

bool IsMarkedByNetfilter(Way way) {
  return way == Way::kMarked || way == Way::kTables || way == Way::kMasquerade;
}

absl::StatusOr<Contender> Contender::Create(Way way, Acceptor::Manner manner) {
  SRCSEL_ASSIGN_OR_RETURN(lab::Lab lab, lab::Lab::Build(lab::TwoUplinks()));
  Contender contender(way, manner, std::move(lab));
  SRCSEL_RETURN_IF_ERROR(contender.Treat());
  const lab::Lab &built = *contender.lab_;
  if (const auto policy = PolicyOf(way)) SRCSEL_RETURN_IF_ERROR(contender.Hook(*policy));
  const int processes = manner == Acceptor::Manner::kKeep ? 4 : 1;
  for (int i = 0; i < processes; ++i) {
    SRCSEL_ASSIGN_OR_RETURN(Acceptor acceptor,
                            Acceptor::Start(built.host("server").netns().fd(), Server(), manner));
    SRCSEL_ASSIGN_OR_RETURN(Worker worker,
                            Worker::Start(built.host("client").netns().fd(), contender.cgroup()));
    contender.acceptors_.push_back(std::move(acceptor));
    contender.workers_.push_back(std::move(worker));
  }
  return contender;
}

absl::Status Contender::Treat() {
  if (way_ == Way::kSource || way_ == Way::kPool || way_ == Way::kPorts)
    return lab::RouteBySource(*lab_);
  if (!IsMarkedByNetfilter(way_)) return absl::OkStatus();
  SRCSEL_RETURN_IF_ERROR(lab::MarkOutput(*lab_));
  SRCSEL_RETURN_IF_ERROR(
      lab_->host("client")
          .Do("iptables -t mangle -A OUTPUT -p udp --dport 80 -j MARK --set-mark 100")
          .status());
  if (way_ == Way::kMasquerade) return lab::Masquerade(*lab_);
  if (way_ == Way::kTables) return absl::OkStatus();
  // The main default and the marked one become the same: the reroute changes nothing.
  return lab_->host("client").Ip("route replace default via 10.1.0.254 src 10.1.0.1").status();
}

absl::Status Contender::Hook(const Policy &policy) {
  SRCSEL_ASSIGN_OR_RETURN(lab::TestCgroup cgroup, lab::TestCgroup::Create());
  cgroup_.emplace(std::move(cgroup));
  SRCSEL_ASSIGN_OR_RETURN(HookMirror mirror, lab::Within(lab_->host("client").netns().fd(),
                                                         [] { return HookMirror::Start(); }));
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, Hooks::Load());
  SRCSEL_RETURN_IF_ERROR(mirror.Publish(policy, hooks));
  const Fd directory(open(cgroup_->path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  SRCSEL_RETURN_IF_ERROR(hooks.Attach(directory));
  hooked_.emplace(Hooked{std::move(mirror), std::move(hooks)});
  return absl::OkStatus();
}

absl::StatusOr<Round> Contender::Connect(std::uint32_t count) {
  const bool datagrams = manner_ == Acceptor::Manner::kAnswer;
  return workers_.front().Connect(datagrams ? Transport::kUdp : Transport::kTcp, Server(), count);
}

absl::Status Contender::Hold(std::uint32_t count) {
  const auto workers = static_cast<std::uint32_t>(workers_.size());
  for (Worker &worker : workers_) SRCSEL_RETURN_IF_ERROR(worker.Hold(Server(), count / workers));
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> Contender::ConntrackEntries() const {
  SRCSEL_ASSIGN_OR_RETURN(const auto entries, lab_->host("client").ConntrackEntries());
  return entries.size();
}

}  // namespace srcsel::bench
