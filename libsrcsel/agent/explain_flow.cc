#include "agent/explain_flow.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "agent/cgroup_path.hh"
#include "agent/explain_trouble.hh"
#include "agent/route_agreement.hh"
#include "agent/uplink.hh"
#include "base/mark.hh"
#include "base/status.hh"
#include "image/key.hh"
#include "lookup/decide.hh"
#include "lookup/pool_turns.hh"
#include "lookup/select.hh"
#include "netlink/ask_route.hh"

namespace srcsel {
namespace {

constexpr std::size_t kNearer = 5;

// Those that fail by the fewest selectors, in order.
std::vector<PassedRule> Nearest(std::vector<PassedRule> passed) {
  std::ranges::stable_sort(passed, {}, [](const PassedRule &rule) { return rule.missed.size(); });
  passed.resize(std::min(passed.size(), kNearer));
  std::ranges::sort(passed, {}, &PassedRule::index);
  return passed;
}

// What the rule that holds cannot be followed in, of its source.
std::vector<std::string> LacksOf(const FlowQuestion &question, const PolicyStory &story,
                                 const State &state) {
  const std::uint32_t reason = story.decision.reason;
  if (!story.here || (reason != SRCSEL_WHY_FAMILY && reason != SRCSEL_WHY_NO_MEMBER)) return {};
  return question.policy->LacksOf(story.decision.policy, question.flow.destination.family(), state);
}

// Of a pool that goes by turn, with the source of that number.
PolicyStory AskPolicy(const FlowQuestion &question, const State &state, std::size_t turn) {
  PolicyStory story;
  const PolicyInForce &policy = *question.policy;
  // A run below an up decides for its own sockets.
  const std::string &cgroup = question.caller.cgroup;
  story.here = policy.netns == state.netns;
  if (policy.is_up())
    story.covers = RunCgroupIn(cgroup).empty() && IsInCgroup(cgroup, policy.cgroup);
  if (!story.covers) return story;
  srcsel_flow flow = PolicyFlow(*policy.image, question.flow, question.caller, state.netns);
  story.decision = Decide(*policy.image, flow);
  if (story.decision.reason == SRCSEL_WHY_POOL) {
    const auto [at_random, turns] =
        PoolTurnsOf(*policy.image, FamilyOf(question.flow.destination), story.decision.policy);
    story.at_random = at_random;
    for (const PoolTurn &one : turns) story.turns.push_back(one.source);
    if (turn < turns.size()) flow.chance = turns[turn].chance;
    story.decision = Decide(*policy.image, flow);
  }
  story.lacks = LacksOf(question, story, state);
  const bool held = story.decision.policy != SRCSEL_NONE;
  if (held) story.rule = policy.RuleName(story.decision.policy);
  // Destinations that are left alone whatever the policy says never come to its rules.
  if (!held && story.decision.reason != SRCSEL_WHY_NO_RULE) return story;
  std::vector<PassedRule> passed = RulesPassed(*policy.image, flow, story.decision.policy);
  story.passed = passed.size();
  story.nearer = Nearest(std::move(passed));
  return story;
}

// What the decision leaves on the socket.
Flow Applied(Flow flow, const srcsel_decision &decision) {
  if (decision.apply & SRCSEL_APPLY_MARK)
    flow.mark = Mark{decision.mark, decision.mark_mask}.AppliedTo(flow.mark);
  if (decision.apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    flow.source = FromWire(FamilyOf(flow.destination), decision.source);
  return flow;
}

bool LooksAtPorts(const State &state) {
  return std::ranges::any_of(state.rules, [](const Rule &rule) {
    return rule.family == AF_INET && rule.iif != "lo" &&
           (rule.proto != 0 || rule.sports || rule.dports);
  });
}

// The key that netfilter looks up again with: in IPv4 without an owner, and with ports only where
// an ip rule of no interface's packets asks for them (Linux 6.18, ipv4/netfilter.c).
Flow Rerouted(Flow flow, const State &state, std::uint32_t mark) {
  flow.mark = mark;
  flow.transparent = true;
  if (!flow.destination.is_v4()) return flow;
  flow.uid = 0;
  if (LooksAtPorts(state)) return flow;
  flow.proto = 0;
  flow.sport = flow.dport = 0;
  return flow;
}

class Explainer {
 public:
  Explainer(const Snapshot &snapshot, const FlowQuestion &question, RouteAsker &asker,
            std::size_t turn)
      : snapshot_(snapshot), question_(question), asker_(asker), turn_(turn) {
    story_.asked = question.flow;
    story_.caller = question.caller;
  }

  absl::StatusOr<FlowStory> Run() && {
    Flow flow = question_.flow;
    if (question_.policy != nullptr) {
      story_.policy = AskPolicy(question_, snapshot_.state(), turn_);
      const srcsel_decision &decision = story_.policy->decision;
      flow = Applied(flow, decision);
      if (decision.apply & SRCSEL_APPLY_REJECT) story_.refused = static_cast<int>(decision.error);
      if (story_.refused != 0) {
        story_.leaves.error = story_.refused;
        return Finish(flow);
      }
    }
    SRCSEL_RETURN_IF_ERROR(Connect(flow));
    if (story_.leaves.error == 0) SRCSEL_RETURN_IF_ERROR(Firewall(flow));
    return Finish(flow);
  }

 private:
  absl::Status Connect(const Flow &flow) {
    story_.connect = Select(snapshot_, flow);
    story_.leaves = story_.connect.outcome;
    const bool bound = !flow.source.IsUnspecified();
    if (!bound) SRCSEL_RETURN_IF_ERROR(Look(LookupWhen::kFirst, flow));
    if (story_.leaves.error != 0 && !bound) return absl::OkStatus();
    story_.source = WhySourceOf(flow);
    // IPv6 takes what the first one found.
    if (!bound && !flow.destination.is_v4() && story_.lookups[0].selection.outcome.error == 0)
      return absl::OkStatus();
    Flow again = flow;
    if (!bound) again.source = story_.leaves.source;
    return Look(bound ? LookupWhen::kFirst : LookupWhen::kAgain, again);
  }

  SourceReason WhySourceOf(const Flow &flow) const {
    const bool by_policy = question_.flow.source.IsUnspecified();
    if (!flow.source.IsUnspecified())
      return !by_policy ? SourceReason{"bound", "the program binds it itself"}
             : story_.policy->turns.empty()
                 ? SourceReason{"rule", "the policy's rule binds it"}
                 : SourceReason{"rule", "the policy's rule binds it, when it is its turn"};
    const LookupStory &first = story_.lookups.front();
    const Outcome &outcome = first.selection.outcome;
    return WhySource(snapshot_, flow, outcome.error == 0 ? outcome : story_.leaves,
                     first.steps.empty() ? std::nullopt : first.steps.back().terms);
  }

  absl::Status Look(LookupWhen when, const Flow &flow) {
    LookupStory story{.when = when, .flow = flow, .selection = Lookup(snapshot_, flow)};
    story.steps = StepsOf(story.selection.outcome, flow);
    Flow asked = flow;
    asked.oif_strict = asked.transparent = false;
    story.asked = Lookup(snapshot_, asked);
    SRCSEL_ASSIGN_OR_RETURN(story.kernel, asker_.Ask(asked));
    story.agrees = Agrees(story.asked, story.kernel, SameRoute);
    story_.lookups.push_back(std::move(story));
    return absl::OkStatus();
  }

  // None where the kernel answers before it asks any rule, or whatever they say.
  std::vector<RuleStep> StepsOf(const Outcome &outcome, const Flow &flow) const {
    const bool may_have_run_out =
        outcome.error == ENETUNREACH || (outcome.error == 0 && flow.oif != 0);
    if (outcome.rule == kNoRule && !may_have_run_out) return {};
    std::vector<RuleStep> steps = RuleSteps(snapshot_, flow);
    const bool refused = outcome.rule == kNoRule && outcome.error != 0;
    if (refused && !steps.empty() && steps.back().end == RuleEnd::kDecides) return {};
    return steps;
  }

  absl::Status Firewall(const Flow &flow) {
    if (question_.firewall == nullptr || story_.leaves.type == RTN_LOCAL) return absl::OkStatus();
    const State &state = snapshot_.state();
    NfFlow packet;
    packet.destination = flow.destination;
    packet.source = story_.leaves.source;
    packet.proto = flow.proto;
    packet.dport = flow.dport;
    packet.sport = flow.sport;
    packet.uid = flow.uid;
    packet.gid = question_.caller.gid;
    packet.classid = question_.caller.classid;
    packet.mark = flow.mark;
    packet.tos = flow.tos;
    packet.cgroup = question_.caller.cgroup;
    packet.out_device = DeviceName(state, story_.leaves.oif);
    packet.destination_type = story_.leaves.type;
    story_.firewall = {Evaluate(*question_.firewall, packet), {}};
    const bool v4 = flow.destination.is_v4();
    for (const NfSourceNat &nat : question_.firewall->source_nats)
      if (v4 ? nat.v4 : nat.v6) story_.firewall->translating.push_back(nat.name);
    const NfOutcome &outcome = story_.firewall->outcome;
    if (!outcome.unknown.empty() || outcome.dropped || outcome.routed == flow.mark)
      return absl::OkStatus();
    Flow again = Rerouted(flow, state, outcome.routed);
    again.source = story_.leaves.source;
    SRCSEL_RETURN_IF_ERROR(Look(LookupWhen::kReroute, again));
    story_.leaves = story_.lookups.back().selection.outcome;
    return absl::OkStatus();
  }

  absl::StatusOr<FlowStory> Finish(const Flow &flow) {
    SRCSEL_ASSIGN_OR_RETURN(story_.troubles, TroublesOf(story_, flow, snapshot_));
    return std::move(story_);
  }

  const Snapshot &snapshot_;
  const FlowQuestion &question_;
  RouteAsker &asker_;
  const std::size_t turn_;
  FlowStory story_;
};

void AddTroubles(const std::vector<Trouble> &more, std::vector<Trouble> &troubles) {
  for (const Trouble &trouble : more)
    if (std::ranges::find(troubles, trouble.text, &Trouble::text) == troubles.end())
      troubles.push_back(trouble);
}

}  // namespace

bool FlowStory::agrees() const {
  return std::ranges::all_of(lookups, &LookupStory::agrees) &&
         std::ranges::all_of(others, &FlowStory::agrees);
}

absl::StatusOr<FlowStory> ExplainFlow(const Snapshot &snapshot, const FlowQuestion &question) {
  SRCSEL_ASSIGN_OR_RETURN(RouteAsker asker, RouteAsker::Open());
  SRCSEL_ASSIGN_OR_RETURN(FlowStory story, Explainer(snapshot, question, asker, 0).Run());
  const std::size_t turns = story.policy ? story.policy->turns.size() : 0;
  for (std::size_t turn = 1; turn < turns; ++turn) {
    SRCSEL_ASSIGN_OR_RETURN(FlowStory other, Explainer(snapshot, question, asker, turn).Run());
    AddTroubles(other.troubles, story.troubles);
    story.others.push_back(std::move(other));
  }
  return story;
}

}  // namespace srcsel
