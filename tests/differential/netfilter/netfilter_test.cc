// What Evaluate() and CompileMarks() say of a flow is what the kernel does with it: rule sets drawn
// from the grammar, loaded by nft and both iptables, and flows really sent through them.

#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/routed_ways.hh"
#include "dice.hh"
#include "draw_iptables.hh"
#include "draw_nft.hh"
#include "lab/net_class.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/read_rules.hh"
#include "netlink/read_state.hh"
#include "network.hh"
#include "policy_match.hh"
#include "seats.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

constexpr std::size_t kFlowsEach = 200;
constexpr std::size_t kThreads = 6;

std::uint32_t FromEnvironment(const char *name, std::uint32_t otherwise) {
  const char *said = std::getenv(name);
  return said == nullptr ? otherwise : static_cast<std::uint32_t>(std::strtoul(said, nullptr, 0));
}

struct RuleText {
  std::string program, text;
};

// Nft refuses rules that contradict themselves.
std::string DrawAcceptableNft(Dice &dice, bool unknown, const Seats &seats) {
  for (;;)
    if (std::string text = DrawNft(dice, unknown, seats.ForNft());
        Feed("nft -c -f - 2>/dev/null", text).ok())
      return text;
}

// What a host may have: one kind of rules, now and then two. Of those of legacy tables and others,
// chains may have one priority, and then their order is not to be seen: `unknown` becomes true.
std::vector<RuleText> DrawRules(Dice &dice, bool &unknown, const Seats &seats) {
  std::vector<RuleText> rules;
  const auto iptables = [&](const std::string &variant) {
    rules.push_back({"ipset restore", IpSetsToDrawFrom()});
    if (!dice.OneIn(5))
      rules.push_back(
          {"iptables-" + variant + "-restore", DrawIptables(dice, false, unknown, seats.named())});
    if (!dice.OneIn(3))
      rules.push_back(
          {"ip6tables-" + variant + "-restore", DrawIptables(dice, true, unknown, seats.named())});
  };
  const std::size_t kind = dice.Below(9);
  unknown |= kind == 8;
  const bool beside_legacy = kind == 8 && dice.OneIn(2);
  if (beside_legacy) rules.push_back({"ipset restore", IpSetsToDrawFrom()});
  if (kind <= 4 || beside_legacy)
    rules.push_back({"nft -f -", DrawAcceptableNft(dice, unknown, seats)});
  if (kind == 4 || kind == 5 || kind == 6 || (kind == 8 && !beside_legacy)) iptables("nft");
  if (kind == 7) iptables("legacy");
  if (kind == 8)
    for (const bool v6 : {false, true})
      rules.push_back({v6 ? "ip6tables-legacy-restore" : "iptables-legacy-restore",
                       DrawIptables(dice, v6, unknown, seats.named())});
  return rules;
}

// The class of net_cls that a set's flows are of, where there are any. A thread cannot change its
// own in between: it would change that of all sockets of the process.
constexpr std::uint32_t kClasses[] = {0, 0x10001};

NfFlow DrawFlow(Dice &dice, const Seats &seats, std::size_t number) {
  const bool v4 = dice.OneIn(2);
  NfFlow flow;
  flow.destination =
      *IpAddress::Parse(v4 ? absl::StrCat("198.51.", dice.Below(3), ".", dice.Below(6))
                           : absl::StrCat("2001:db8::", dice.Below(3), ":", dice.Below(6)));
  const std::uint8_t ping = v4 ? std::uint8_t{IPPROTO_ICMP} : std::uint8_t{IPPROTO_ICMPV6};
  flow.proto = dice.Of<std::uint8_t>(
      {IPPROTO_UDP, IPPROTO_UDP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_TCP, ping});
  flow.dport = dice.Of<std::uint16_t>({53, 80, 443, 1000, 1003, 1005, 1500});
  flow.sport = static_cast<std::uint16_t>(10000 + number);
  flow.uid = dice.Of<std::uint32_t>({0, 1000, 1001, 2000});
  flow.gid = dice.Of<std::uint32_t>({0, 5, 6});
  if (dice.OneIn(4)) flow.mark = dice.Of<std::uint32_t>({1, 2, 3, 0x10, 0x64, 0x101, 0x80000});
  // TCP keeps the lower two bits to itself.
  if (dice.OneIn(4))
    flow.tos = flow.proto == IPPROTO_TCP ? dice.Of<std::uint8_t>({0x10, 0x20, 0x28, 0xb8})
                                         : dice.Of<std::uint8_t>({0x01, 0x12, 0x20, 0x28, 0xb8});
  flow.cgroup = dice.Of(seats.paths());
  const std::uint32_t way = Network::WayOf(flow.destination, flow.mark);
  flow.out_device = absl::StrCat("u", way);
  flow.source = Network::AddressOf(flow.destination.family(), way);
  return flow;
}

std::string Describe(const NfFlow &flow) {
  return absl::StrCat(flow.destination.ToString(), " proto ", flow.proto, " dport ", flow.dport,
                      " uid ", flow.uid, " gid ", flow.gid, " class ", *flow.classid, " mark ",
                      flow.mark, " tos ", flow.tos, " cgroup ", flow.cgroup);
}

struct Tally {
  std::size_t sets = 0, flows = 0, unknown = 0, left = 0, other_tos = 0, marked = 0, bound = 0;

  void Add(const Tally &other) {
    sets += other.sets;
    flows += other.flows;
    unknown += other.unknown;
    left += other.left;
    other_tos += other.other_tos;
    marked += other.marked;
    bound += other.bound;
  }
};

// Whether the policy does something about the flow; then it is as it would be after that. Of a
// datagram nobody knows the tos.
bool Apply(const MarkPolicy &policy, bool first_datagram, NfFlow &flow) {
  const PolicyRule *rule = FirstMatch(policy.rules, flow);
  if (rule == nullptr || !rule->mark) return false;
  if (rule->plain_tos && (first_datagram || flow.tos != 0)) return false;
  const std::uint32_t mark = rule->mark->AppliedTo(flow.mark);
  if (rule->apply == srcsel::Apply::kMark && !first_datagram) flow.mark = mark;
  flow.source =
      Network::AddressOf(flow.destination.family(), Network::WayOf(flow.destination, mark));
  return true;
}

// All networks have the routes of the first, whose ways are worked out once.
class WaysOfAll : public FirstWays {
 public:
  const Marks &MarksOf(int family) override {
    const std::lock_guard lock(mutex_);
    return ways_.MarksOf(family);
  }
  std::shared_ptr<const NfWays> Of(int family, std::uint32_t mark,
                                   std::optional<std::uint32_t> bound_by) override {
    const std::lock_guard lock(mutex_);
    return ways_.Of(family, mark, bound_by);
  }

 private:
  const State state_ = StateReader::Open().value().Read().value();
  RoutedWays ways_{state_, true};
  std::mutex mutex_;
};

// One rule set in a namespace of its own, which conntrack knows no flow of.
class Trial {
 public:
  Trial(std::uint32_t seed, std::uint32_t classid, const Seats &seats)
      : seed_(seed), classid_(classid), dice_(seed), seats_(seats) {}

  void Run() {
    ASSERT_EQ(network_.Open(), absl::OkStatus());
    may_be_unknown_ = dice_.OneIn(4);
    const std::vector<RuleText> texts = DrawRules(dice_, may_be_unknown_, seats_);
    std::string trace = absl::StrCat("SRCSEL_SEED=", seed_, " SRCSEL_SETS=1\n");
    for (const RuleText &rules : texts) {
      absl::StrAppend(&trace, rules.program, "\n", rules.text);
      ASSERT_EQ(Feed(rules.program, rules.text), absl::OkStatus());
    }
    SCOPED_TRACE(trace);
    const NfRuleSet rules = ReadRules();
    ASSERT_TRUE(rules.skipped.empty()) << rules.skipped.front();
    static WaysOfAll ways;
    policy_ = CompileMarks(rules, SRCSEL_MAX_POLICY, &ways);
    ++tally_.sets;
    Compare(rules);
  }

  const Tally &tally() const { return tally_; }

 private:
  void Compare(const NfRuleSet &rules) {
    std::vector<NfFlow> flows, again;
    std::vector<NfOutcome> outcomes, hoped;
    for (std::size_t i = 0; i < kFlowsEach; ++i) {
      flows.push_back(DrawFlow(dice_, seats_, ++sports_));
      flows.back().classid = classid_;
      outcomes.push_back(Evaluate(rules, flows.back()));
      CheckPolicy(flows.back(), outcomes.back());
      // What a hook would make of it.
      NfFlow applied = flows.back();
      const bool first_datagram = applied.proto != IPPROTO_TCP && dice_.OneIn(2);
      if (!outcomes.back().unknown.empty() || !Apply(policy_, first_datagram, applied)) continue;
      applied.sport = static_cast<std::uint16_t>(applied.sport + kFlowsEach);
      again.push_back(applied);
      hoped.push_back(outcomes.back());
    }
    Send(flows, outcomes, false);
    Send(again, hoped, true);
  }

  void CheckPolicy(const NfFlow &flow, const NfOutcome &outcome) {
    ++tally_.flows;
    if (!outcome.unknown.empty()) {
      ++tally_.unknown;
      EXPECT_TRUE(may_be_unknown_) << Describe(flow) << ": " << outcome.unknown;
      return;
    }
    if (outcome.dropped) return;
    const PolicyRule *rule = FirstMatch(policy_.rules, flow);
    if (rule != nullptr && rule->plain_tos && flow.tos != 0) {
      ++tally_.other_tos;
    } else if (rule != nullptr && rule->mark) {
      ++(rule->apply == srcsel::Apply::kMark ? tally_.marked : tally_.bound);
      EXPECT_EQ(rule->mark->AppliedTo(flow.mark), outcome.routed)
          << Describe(flow) << " by " << rule->name;
    } else if (rule != nullptr ? IsNotUnderstood(*rule) : IsBeyondMasks(flow)) {
      ++tally_.left;
    } else {
      // Left alone: it may lose bits of a mark of its own, and gains none.
      EXPECT_EQ(outcome.routed & ~flow.mark, 0u) << Describe(flow);
    }
  }

  bool IsNotUnderstood(const PolicyRule &rule) const {
    return rule.leave && (std::ranges::count(policy_.not_understood, rule.name) > 0 ||
                          rule.name == "beyond the rules that fit");
  }

  // Of more masks of marks than fit, only sockets without a mark are decided about.
  bool IsBeyondMasks(const NfFlow &flow) const {
    return flow.mark != 0 && std::ranges::any_of(policy_.limits, [](const std::string &limit) {
             return absl::StrContains(limit, "under many masks");
           });
  }

  void Send(const std::vector<NfFlow> &flows, const std::vector<NfOutcome> &outcomes,
            bool applied) {
    for (const std::string &seat : seats_.paths()) {
      ASSERT_EQ(seats_.Sit(seat), absl::OkStatus());
      for (std::size_t i = 0; i < flows.size(); ++i)
        if (flows[i].cgroup == seat) {
          ASSERT_EQ(network_.Send(flows[i], applied, Number(i)), absl::OkStatus());
        }
    }
    const auto seen = network_.TakeSeen();
    ASSERT_TRUE(seen.ok()) << seen.status();
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if (!outcomes[i].unknown.empty()) continue;
      const auto found = seen->find(Number(i));
      const bool left = found != seen->end();
      const std::string flow = absl::StrCat(Describe(flows[i]), applied ? ", applied" : "");
      EXPECT_EQ(left, !outcomes[i].dropped) << flow;
      if (!left || outcomes[i].dropped) continue;
      EXPECT_EQ(found->second.mark, outcomes[i].mark) << flow;
      EXPECT_EQ(found->second.way, Network::WayOf(flows[i].destination, outcomes[i].routed))
          << flow;
    }
  }

  static std::uint32_t Number(std::size_t i) { return static_cast<std::uint32_t>(i + 1) << 4; }

  const std::uint32_t seed_, classid_;
  Dice dice_;
  const Seats &seats_;
  Network network_;
  bool may_be_unknown_ = false;
  MarkPolicy policy_;
  Tally tally_;
  std::size_t sports_ = 0;
};

TEST(Netfilter, PredictsTheMarkThatArrives) {
  if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  const std::uint32_t first = FromEnvironment("SRCSEL_SEED", 1);
  const std::uint32_t end = first + FromEnvironment("SRCSEL_SETS", 200);
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  const absl::StatusOr<lab::NetClass> other = lab::NetClass::Make(kClasses[1]);
  if (!other.ok()) std::cout << "all flows are of class 0: " << other.status() << "\n";
  const absl::StatusOr<Seats> seats = Seats::Make();
  ASSERT_TRUE(seats.ok()) << seats.status();
  std::atomic<std::uint32_t> next[] = {first + first % 2, first + 1 - first % 2};
  std::latch entered(kThreads);
  std::mutex mutex;
  Tally tally;
  // Most of the time is the kernel's, which waits when rules and namespaces go.
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i)
    threads.emplace_back([&, kind = i % 2] {
      if (kind == 1 && other.ok()) {
        EXPECT_EQ(other->Enter(), absl::OkStatus());
      }
      entered.arrive_and_wait();
      while (!testing::Test::HasFailure()) {
        const std::uint32_t seed = next[kind].fetch_add(2);
        if (seed >= end) return;
        Trial trial(seed, other.ok() ? kClasses[kind] : 0, *seats);
        trial.Run();
        const std::lock_guard lock(mutex);
        tally.Add(trial.tally());
      }
    });
  for (std::thread &thread : threads) thread.join();
  std::cout << tally.sets << " rule sets, " << tally.flows << " flows: " << tally.unknown
            << " unknown, " << tally.left << " left to the kernel for what a hook does not see, "
            << tally.other_tos << " for their tos, " << tally.marked << " marked, " << tally.bound
            << " bound\n";
  // Most of what netfilter reroutes is understood. Of few sets, one may be mostly unknown.
  if (tally.sets >= 200) {
    EXPECT_GT(tally.marked + tally.bound, tally.left);
    EXPECT_GT(tally.other_tos, tally.sets);
  }
}

}  // namespace
}  // namespace srcsel
