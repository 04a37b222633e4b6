#include "differential/traps/traps.hh"

#include <algorithm>
#include <cstring>

#include "base/netns.hh"
#include "differential/hosts/compare.hh"
#include "differential/hosts/dial_flow.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

Flow FlowTo(absl::string_view to, std::uint8_t proto) {
  Flow flow;
  flow.destination = IpAddress::Parse(to).value();
  flow.source = IpAddress::Any(flow.destination.family());
  flow.dport = 443;
  flow.proto = proto;
  return flow;
}

}  // namespace

void Traps::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
  if (!KernelIsAtLeast(6, 18)) GTEST_SKIP() << "Linux before 6.18 decides by other rules";
  home_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(home_);
  absl::StatusOr<LiveHost> host = LiveHost::Make({"ip link set lo mtu 16000 up"});
  ASSERT_TRUE(host.ok()) << host.status();
  host_.emplace(*std::move(host));
  ASSERT_TRUE(EnterNetns(host_->netns()).ok());
  absl::StatusOr<RouteOracle> kernel = RouteOracle::Open();
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  kernel_.emplace(*std::move(kernel));
  absl::StatusOr<Reading> reading = Reading::Open();
  ASSERT_TRUE(reading.ok()) << reading.status();
  reading_.emplace(*std::move(reading));
}

void Traps::TearDown() {
  if (!home_) return;
  EXPECT_TRUE(EnterNetns(home_).ok());
}

void Traps::Do(const std::vector<std::string> &commands) {
  ASSERT_TRUE(host_->Run(commands).ok());
  ASSERT_EQ(host_->refused(), 0u) << "of " << ::testing::PrintToString(commands);
  ASSERT_TRUE(reading_->Again().ok());
}

void Traps::MakeUplinks() {
  std::vector<std::string> commands = {"sysctl net.ipv6.conf.default.addr_gen_mode=1"};
  for (const int i : {0, 1}) {
    commands.push_back(absl::StrCat("ip link add name v", i, " index ", 10 + i, " mtu ", 1410 + i,
                                    " type veth peer name w", i, " index ", 20 + i));
    commands.push_back(absl::StrCat("ip link set v", i, " up"));
    commands.push_back(absl::StrCat("ip link set w", i, " up"));
  }
  for (const int i : {0, 1}) {
    const std::string dev = absl::StrCat(" dev v", i, " "), table = i ? " table 101" : "";
    const std::string permanent = " lladdr 02:00:00:00:00:01 nud permanent" + dev;
    commands.push_back(absl::StrCat("ip addr add 10.", i, ".0.1/24", dev));
    commands.push_back(absl::StrCat("ip addr add fd0", i, "::1/64 nodad", dev));
    commands.push_back(absl::StrCat("ip neigh add 10.", i, ".0.254", permanent));
    commands.push_back(absl::StrCat("ip neigh add fd0", i, "::fe", permanent));
    commands.push_back(absl::StrCat("ip -4 route add default via 10.", i, ".0.254", dev, table));
    commands.push_back(absl::StrCat("ip -6 route add default via fd0", i, "::fe", dev, table));
  }
  Do(commands);
}

std::vector<std::string> Traps::Veth(int index) {
  return {absl::StrCat("ip link add name x", index, " index ", index, " mtu ", 1400 + index,
                       " type veth peer name y", index, " index ", index + 1),
          absl::StrCat("ip link set x", index, " up"), absl::StrCat("ip link set y", index, " up")};
}

Flow Traps::Udp(absl::string_view to) {
  return FlowTo(to, IPPROTO_UDP);
}

Flow Traps::Tcp(absl::string_view to) {
  return FlowTo(to, IPPROTO_TCP);
}

std::uint32_t Traps::Index(const std::string &link) const {
  const auto found = std::ranges::find(state().links, link, &Link::name);
  EXPECT_NE(found, state().links.end()) << link;
  return found == state().links.end() ? 0 : found->index;
}

std::string Traps::NameOf(std::uint32_t index) const {
  const Link *link = reading_->snapshot().FindLink(index);
  return link ? link->name : "nothing";
}

std::string Traps::Words(const Outcome &outcome) const {
  if (outcome.error != 0) return strerrorname_np(outcome.error);
  return absl::StrCat(NameOf(outcome.oif), " ", outcome.source.ToString());
}

std::string Traps::Words(const Connected &connected) const {
  if (connected.error != 0) return strerrorname_np(connected.error);
  for (const Link &link : state().links)
    if (reading_->MtuOf(link.index) == connected.mtu)
      return absl::StrCat(link.name, " ", connected.source.ToString());
  return "an unknown way out";
}

std::string Traps::Dial(const Flow &flow) {
  const std::optional<Connected> connected = DialFlow(flow);
  EXPECT_TRUE(connected.has_value()) << "no such socket: " << flow.ToString();
  const Selection ours = Select(reading_->snapshot(), flow);
  const std::string kernels = connected ? Words(*connected) : "nothing";
  EXPECT_TRUE(ours.exact()) << AmbiguityWord(ours.why) << ": " << flow.ToString();
  EXPECT_EQ(Words(ours.outcome), kernels) << flow.ToString();
  return kernels;
}

absl::StatusOr<Outcome> Traps::AskKernel(const Flow &flow) {
  return kernel_->Ask(QuestionOf(flow));
}

std::string Traps::Ask(const Flow &flow) {
  const absl::StatusOr<Outcome> reply = AskKernel(flow);
  EXPECT_TRUE(reply.ok()) << reply.status();
  const Selection ours = Lookup(reading_->snapshot(), flow);
  EXPECT_TRUE(ours.exact()) << AmbiguityWord(ours.why) << ": " << flow.ToString();
  EXPECT_EQ(Words(ours.outcome), Words(*reply)) << flow.ToString();
  return Words(*reply);
}

std::string Traps::DialUnsure(const Flow &flow, Ambiguity why) {
  const std::optional<Connected> connected = DialFlow(flow);
  EXPECT_TRUE(connected.has_value()) << "no such socket: " << flow.ToString();
  const Selection ours = Select(reading_->snapshot(), flow);
  EXPECT_EQ(ours.why, why) << flow.ToString();
  const std::string kernels = connected ? Words(*connected) : "nothing";
  EXPECT_TRUE(!ours.complete || std::ranges::any_of(ours.candidates,
                                                    [&](const Outcome &candidate) {
                                                      return Words(candidate) == kernels;
                                                    }))
      << kernels << " is no candidate";
  return kernels;
}

Outcome Traps::OursOf(const Flow &flow) const {
  return Lookup(reading_->snapshot(), flow).outcome;
}

std::string Traps::Predict(const Flow &flow) const {
  const Selection ours = Select(reading_->snapshot(), flow);
  EXPECT_TRUE(ours.exact()) << AmbiguityWord(ours.why) << ": " << flow.ToString();
  return Words(ours.outcome);
}

}  // namespace srcsel
