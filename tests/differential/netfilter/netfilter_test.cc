// What Evaluate() and CompileMarks() say of a flow is what the kernel does with it: rule sets drawn
// from the grammar, loaded by nft and both iptables, and flows really sent through them; without
// hooks, and again with those that `srcsel up` would attach. Then the mark that arrives is the same
// one, and the source is the one that the kernel itself has for it.

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
#include "agent/fit_marks.hh"
#include "agent/hook_mirror.hh"
#include "agent/routed_ways.hh"
#include "agent/up_policy.hh"
#include "dice.hh"
#include "draw_iptables.hh"
#include "draw_nft.hh"
#include "hooks/counters.hh"
#include "hooks/hooks.hh"
#include "lab/net_class.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/evaluate.hh"
#include "netfilter/read_rules.hh"
#include "netlink/ask_route.hh"
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
std::string DrawAcceptableNft(Dice &dice, bool unknown, const SeatRow &seats) {
  for (;;)
    if (std::string text = DrawNft(dice, unknown, seats.ForNft());
        Feed("nft -c -f - 2>/dev/null", text).ok())
      return text;
}

// What a host may have: one kind of rules, now and then two. Of those of legacy tables and others,
// chains may have one priority, and then their order is not to be seen: `unknown` becomes true.
std::vector<RuleText> DrawRules(Dice &dice, bool &unknown, const SeatRow &seats) {
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

NfFlow DrawFlow(Dice &dice, const SeatRow &seats, std::size_t number) {
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
  // With hooks: sources that went with the mark, and how many of these had been others before.
  std::size_t sourced = 0, moved = 0, kept = 0;

  void Add(const Tally &other) {
    for (auto count :
         {&Tally::sets, &Tally::flows, &Tally::unknown, &Tally::left, &Tally::other_tos,
          &Tally::marked, &Tally::bound, &Tally::sourced, &Tally::moved, &Tally::kept})
      this->*count += other.*count;
  }
};

struct Sent {
  NfFlow flow;
  Call call;
  NfOutcome outcome;
};

// The two lower bits of a tos are no matter of the rules that are decided by it.
bool HasDscp(const NfFlow &flow) {
  return flow.tos >> 2 != 0;
}

// Whether the application has set bits of its own where the rule has others: it is respected.
bool IsOwnMark(const Mark &mark, const NfFlow &flow) {
  return (flow.mark & mark.mask) != 0 && (flow.mark & mark.mask) != mark.value;
}

// What the kernel itself would have it send from, if its mark were this one.
IpAddress SourceBy(RouteAsker &kernel, const NfFlow &flow, std::uint32_t mark) {
  Flow asked;
  asked.destination = flow.destination;
  asked.proto = flow.proto;
  asked.dport = flow.dport;
  asked.tos = flow.tos;
  asked.mark = mark;
  return kernel.Ask(asked).value().source;
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
  Trial(std::uint32_t seed, std::uint32_t classid, SeatRow row, Hooks &hooks)
      : seed_(seed), classid_(classid), dice_(seed), row_(std::move(row)), hooks_(hooks) {}

  void Run() {
    ASSERT_EQ(network_.Open(), absl::OkStatus());
    may_be_unknown_ = dice_.OneIn(4);
    const std::vector<RuleText> texts = DrawRules(dice_, may_be_unknown_, row_);
    std::string trace = absl::StrCat("SRCSEL_SEED=", seed_, " SRCSEL_SETS=1\n");
    for (const RuleText &rules : texts) {
      absl::StrAppend(&trace, rules.program, "\n", rules.text);
      ASSERT_EQ(Feed(rules.program, rules.text), absl::OkStatus());
    }
    SCOPED_TRACE(trace);
    const NfRuleSet rules = ReadRules();
    ASSERT_TRUE(rules.skipped.empty()) << rules.skipped.front();
    static WaysOfAll ways;
    policy_ = CompileMarks(rules, RoomBehind({}), &ways);
    FitBehind({}, policy_);
    ++tally_.sets;
    Compare(rules);
  }

  const Tally &tally() const { return tally_; }

 private:
  void Compare(const NfRuleSet &rules) {
    std::vector<Sent> all;
    for (std::size_t i = 0; i < kFlowsEach; ++i) {
      NfFlow flow = DrawFlow(dice_, row_, i + 1);
      flow.classid = classid_;
      const NfOutcome outcome = Evaluate(rules, flow);
      CheckPolicy(flow, outcome);
      all.push_back({flow, dice_.OneIn(2) ? Call::kSendTo : Call::kConnect, outcome});
    }
    ASSERT_NO_FATAL_FAILURE(SendAll(all, false));
    ASSERT_NO_FATAL_FAILURE(Attach());
    for (Sent &one : all) one.flow.sport = static_cast<std::uint16_t>(one.flow.sport + kFlowsEach);
    SCOPED_TRACE("with hooks");
    ASSERT_NO_FATAL_FAILURE(SendAll(all, true));
    CheckDecisions();
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
    if (rule != nullptr && rule->plain_tos && HasDscp(flow)) {
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

  // As BringUp() does, but for the pins.
  void Attach() {
    absl::StatusOr<HookMirror> mirror = HookMirror::Start();
    ASSERT_TRUE(mirror.ok()) << mirror.status();
    Examined examined;
    ASSERT_EQ(AddMarks(policy_, mirror->state(), examined), absl::OkStatus());
    ASSERT_EQ(mirror->Publish(std::move(examined.resolved), hooks_), absl::OkStatus());
    const absl::StatusOr<Fd> place = row_.Open();
    ASSERT_TRUE(place.ok()) << place.status();
    ASSERT_EQ(hooks_.Attach(*place), absl::OkStatus());
  }

  void CheckDecisions() const {
    const Counters counts = ReadCounters(row_.Open().value()).value();
    for (const auto why : {SRCSEL_WHY_NO_IMAGE, SRCSEL_WHY_FOREIGN, SRCSEL_WHY_REFUSED,
                           SRCSEL_WHY_OLD, SRCSEL_WHY_APP_PORT})
      EXPECT_EQ(counts[why], 0u) << ReasonText(why);
  }

  void SendAll(const std::vector<Sent> &all, bool hooked) {
    for (const std::string &seat : row_.paths()) {
      ASSERT_EQ(row_.Sit(seat), absl::OkStatus());
      for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].flow.cgroup == seat) {
          ASSERT_EQ(network_.Send(all[i].flow, all[i].call, Number(i)), absl::OkStatus());
        }
    }
    const auto seen = network_.TakeSeen();
    ASSERT_TRUE(seen.ok()) << seen.status();
    RouteAsker kernel = RouteAsker::Open().value();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto found = seen->find(Number(i));
      const bool left = found != seen->end();
      if (all[i].outcome.unknown.empty()) {
        EXPECT_EQ(left, !all[i].outcome.dropped) << Describe(all[i].flow);
        if (left) CheckWay(all[i], found->second);
      }
      if (left) CheckSource(all[i], hooked, kernel, found->second.source);
    }
  }

  static void CheckWay(const Sent &sent, const Seen &seen) {
    EXPECT_EQ(seen.mark, sent.outcome.mark) << Describe(sent.flow);
    EXPECT_EQ(seen.way, Network::WayOf(sent.flow.destination, sent.outcome.routed))
        << Describe(sent.flow);
  }

  void CheckSource(const Sent &sent, bool hooked, RouteAsker &kernel, const IpAddress &source) {
    const IpAddress own = SourceBy(kernel, sent.flow, sent.flow.mark);
    if (!hooked || !IsDecided(sent)) {
      EXPECT_EQ(source, own) << Describe(sent.flow) << " is left alone";
      tally_.kept += hooked;
      return;
    }
    if (!sent.outcome.unknown.empty()) return;
    const IpAddress routed = SourceBy(kernel, sent.flow, sent.outcome.routed);
    // No hook sees such a datagram; but its socket may have been marked when it was made.
    if (IsPing(sent.flow) && sent.call == Call::kSendTo && source == own) return;
    EXPECT_EQ(source, routed) << Describe(sent.flow);
    ++tally_.sourced;
    tally_.moved += source != own;
  }

  bool IsDecided(const Sent &sent) const {
    const PolicyRule *rule = FirstMatch(policy_.rules, sent.flow);
    if (rule == nullptr || !rule->mark || IsOwnMark(*rule->mark, sent.flow)) return false;
    const bool datagram = sent.call == Call::kSendTo && sent.flow.proto != IPPROTO_TCP;
    return !rule->plain_tos || (!HasDscp(sent.flow) && !datagram);
  }

  static std::uint32_t Number(std::size_t i) { return static_cast<std::uint32_t>(i + 1) << 4; }

  const std::uint32_t seed_, classid_;
  Dice dice_;
  const SeatRow row_;
  Hooks &hooks_;
  Network network_;
  bool may_be_unknown_ = false;
  MarkPolicy policy_;
  Tally tally_;
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
      absl::StatusOr<Hooks> hooks = Hooks::Load();
      EXPECT_TRUE(hooks.ok()) << hooks.status();
      while (!testing::Test::HasFailure()) {
        const std::uint32_t seed = next[kind].fetch_add(2);
        if (seed >= end) return;
        absl::StatusOr<SeatRow> row = SeatRow::Make(*seats, seed);
        ASSERT_TRUE(row.ok()) << row.status();
        Trial trial(seed, other.ok() ? kClasses[kind] : 0, *std::move(row), *hooks);
        trial.Run();
        const std::lock_guard lock(mutex);
        tally.Add(trial.tally());
      }
    });
  for (std::thread &thread : threads) thread.join();
  std::cout << tally.sets << " rule sets, " << tally.flows << " flows: " << tally.unknown
            << " unknown, " << tally.left << " left to the kernel for what a hook does not see, "
            << tally.other_tos << " for their tos, " << tally.marked << " marked, " << tally.bound
            << " bound; with hooks " << tally.sourced << " sources by the mark that arrived, "
            << tally.moved << " of them others than without, and " << tally.kept << " kept\n";
  // Most of what netfilter reroutes is understood. Of few sets, one may be mostly unknown.
  if (tally.sets >= 200) {
    EXPECT_GT(tally.marked + tally.bound, tally.left);
    EXPECT_GT(tally.other_tos, tally.sets);
    EXPECT_GT(tally.moved, tally.flows / 20);
  }
}

}  // namespace
}  // namespace srcsel
