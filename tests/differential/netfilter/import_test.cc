// What `srcsel import` writes is a policy by which the engine decides every flow as it does by what
// `srcsel up` makes of the same rules; but for marks that no ip rule looks at: `up` goes by the ip
// rules of the moment and leaves these flows alone, a file is for longer. And by both, sources are
// those that they must be.

#include <netinet/in.h>

#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "agent/mark_rules.hh"
#include "agent/policy_in_force.hh"
#include "agent/up_policy.hh"
#include "dice.hh"
#include "image/compile.hh"
#include "lab/temp_dir.hh"
#include "lookup/decide.hh"
#include "lookup/select.hh"
#include "lookup/snapshot.hh"
#include "models.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/read_rules.hh"
#include "netlink/read_state.hh"
#include "network.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

constexpr int kImportFlows = 5'000;

Image ImageOfUp(const State &state) {
  const MarkPolicy marks = CompileMarks(ReadRules(), SRCSEL_MAX_POLICY);
  EXPECT_TRUE(marks.limits.empty());
  Examined examined;
  EXPECT_EQ(AddMarks(marks, state, examined), absl::OkStatus());
  return Compile(state, examined.resolved, 1).value();
}

Image ImageOfImport(const Model &model, const State &state) {
  const lab::TempDir folder = lab::TempDir::Make().value();
  const std::string file = folder.path() + "/import.toml",
                    kind = absl::StartsWith(model.program, "nft") ? "nft" : "iptables";
  EXPECT_EQ(Feed(absl::StrCat(SRCSEL, " import ", kind, " --output ", file), ""), absl::OkStatus());
  Findings findings;
  PolicyInForce policy = PolicyOfFile(file, state, findings).value();
  EXPECT_FALSE(HasErrors(findings)) << findings.front().ToString();
  EXPECT_GT(policy.names.size(), 0u);
  return *std::move(policy.image);
}

// Around what the rules name.
Flow DrawFlow(Dice &dice) {
  Flow flow;
  flow.destination = *IpAddress::Parse(
      dice.OneIn(4) ? absl::StrCat("2001:db8::", dice.Below(3), ":", dice.Below(9))
                    : absl::StrCat("198.51.", dice.Below(4), ".", dice.Below(9)));
  flow.proto = dice.Of<std::uint8_t>({IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP});
  flow.dport = dice.Of<std::uint16_t>({53, 80, 443, 1003, 2000});
  flow.uid = dice.Of<std::uint32_t>({0, 1000, 2000});
  flow.mark = dice.Of<std::uint32_t>({0, 0, 0, 1, 0x100, 0x30000, 0x80000, 0x6d6f6c65});
  return flow;
}

class ImportTrial {
 public:
  explicit ImportTrial(const Model &model)
      : model_(model), up_(ImageOfUp(state_)), import_(ImageOfImport(model, state_)) {}

  void TryDrawn() const {
    Dice dice(1);
    int effective = 0;
    for (int i = 0; i < kImportFlows && !testing::Test::HasFailure(); ++i) {
      const Flow flow = DrawFlow(dice);
      effective += Try(flow).apply != 0;
    }
    EXPECT_GT(effective, kImportFlows / 100);
  }

  void TryExamples() const {
    const auto snapshot = Snapshot::Make(state_, 1).value();
    for (const Example &example : model_.examples) {
      if (example.dropped) continue;
      Flow flow;
      flow.destination = *IpAddress::Parse(example.destination);
      flow.proto = example.proto;
      flow.dport = example.dport;
      flow.uid = example.uid;
      flow.mark = example.mark;
      const srcsel_decision decision = Try(flow);
      SCOPED_TRACE(Describe(flow));
      // A mark of the application's own is respected, whatever the rules make of it later.
      if (decision.reason == SRCSEL_WHY_APP_MARK) {
        EXPECT_NE(example.mark, 0u);
        continue;
      }
      if (decision.apply & SRCSEL_APPLY_MARK)
        flow.mark = (flow.mark & ~decision.mark_mask) | decision.mark;
      const Selection selection = Select(*snapshot, flow);
      EXPECT_EQ(selection.outcome.source.ToString(), example.source);
    }
  }

 private:
  static std::string Describe(const Flow &flow) {
    return absl::StrCat(flow.destination.ToString(), " proto ", flow.proto, " dport ", flow.dport,
                        " uid ", flow.uid, " mark ", flow.mark);
  }

  srcsel_decision Try(const Flow &flow) const {
    SCOPED_TRACE(Describe(flow));
    const srcsel_decision a = Decide(up_, PolicyFlow(up_, flow, {}, state_.netns)),
                          b = Decide(import_, PolicyFlow(import_, flow, {}, state_.netns));
    const bool marks = b.reason == SRCSEL_WHY_MARK &&
                       !AnyRuleTells(state_, flow.destination.family(), {b.mark, b.mark_mask});
    // Of a socket with a mark of its own, the file's rule takes no notice either.
    if (a.reason == SRCSEL_WHY_KERNEL && (marks || b.reason == SRCSEL_WHY_APP_MARK)) {
      EXPECT_EQ(a.mark, 0u) << "at most one of ours is taken back";
      EXPECT_EQ(a.apply & SRCSEL_APPLY_SOURCE, 0u);
      return a;
    }
    EXPECT_EQ(a.reason, b.reason);
    EXPECT_EQ(a.apply, b.apply);
    EXPECT_EQ(a.mark, b.mark);
    EXPECT_EQ(a.mark_mask, b.mark_mask);
    EXPECT_TRUE(std::ranges::equal(a.source, b.source));
    return a;
  }

  const Model &model_;
  const State state_ = StateReader::Open().value().Read().value();
  const Image up_, import_;
};

void TryImport(const Model &model) {
  SCOPED_TRACE(model.name);
  Network network;
  ASSERT_EQ(network.Open(), absl::OkStatus());
  ASSERT_EQ(Load(model), absl::OkStatus());
  const ImportTrial trial(model);
  trial.TryExamples();
  trial.TryDrawn();
}

TEST(Import, DecidesAsUpDoes) {
  if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
  for (const Model &model : Models()) std::thread([&] { TryImport(model); }).join();
}

}  // namespace
}  // namespace srcsel
