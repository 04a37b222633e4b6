#include "lookup/rule_steps.hh"

#include "engine/rules.h"
#include "lookup/lookup6.hh"
#include "lookup/query.hh"

namespace srcsel {
namespace {

constexpr RuleSelector kSelectors[] = {
    RuleSelector::kTo,    RuleSelector::kFrom,  RuleSelector::kMark,  RuleSelector::kOif,
    RuleSelector::kProto, RuleSelector::kDport, RuleSelector::kSport, RuleSelector::kFlowLabel,
    RuleSelector::kUid,   RuleSelector::kDscp,  RuleSelector::kNever};

// A rule that holds for everything.
srcsel_rule Any() {
  srcsel_rule any{};
  any.uid_last = 0xffffffff;
  any.sport_last = any.dport_last = 0xffff;
  return any;
}

srcsel_rule Only(const srcsel_rule &rule, RuleSelector selector) {
  srcsel_rule only = Any();
  switch (selector) {
    case RuleSelector::kTo:
      only.to = rule.to;
      break;
    case RuleSelector::kFrom:
      only.from = rule.from;
      only.flags = rule.flags & SRCSEL_RULE_NEED_SRC;
      break;
    case RuleSelector::kMark:
      only.mark = rule.mark;
      only.mark_mask = rule.mark_mask;
      break;
    case RuleSelector::kOif:
      only.oif = rule.oif;
      break;
    case RuleSelector::kProto:
      only.proto = rule.proto;
      only.proto_mask = rule.proto_mask;
      break;
    case RuleSelector::kDport:
      only.dport_first = rule.dport_first;
      only.dport_last = rule.dport_last;
      only.dport_mask = rule.dport_mask;
      break;
    case RuleSelector::kSport:
      only.sport_first = rule.sport_first;
      only.sport_last = rule.sport_last;
      only.sport_mask = rule.sport_mask;
      break;
    case RuleSelector::kFlowLabel:
      only.label = rule.label;
      only.label_mask = rule.label_mask;
      break;
    case RuleSelector::kUid:
      only.uid_first = rule.uid_first;
      only.uid_last = rule.uid_last;
      break;
    case RuleSelector::kDscp:
      only.dscp = rule.dscp;
      only.dscp_mask = rule.dscp_mask;
      break;
    case RuleSelector::kNever:
      only.flags = rule.flags & (SRCSEL_RULE_NEVER | SRCSEL_RULE_NEED_OIF);
      break;
  }
  return only;
}

std::vector<RuleSelector> Missed(const srcsel_rule &rule, const srcsel_flow &flow) {
  std::vector<RuleSelector> missed;
  if (rule.flags & SRCSEL_RULE_INVERT) return missed;
  for (const RuleSelector selector : kSelectors) {
    const srcsel_rule only = Only(rule, selector);
    if (srcsel_rule_holds(&only, &flow, flow.mark) == SRCSEL_HOLDS_NOT) missed.push_back(selector);
  }
  return missed;
}

class Steps {
 public:
  Steps(const Snapshot &snapshot, const srcsel_flow &flow) : snapshot_(snapshot), flow_(flow) {
    walk_.image = snapshot.image();
    walk_.head = &snapshot.head();
    walk_.flow = &flow_;
    walk_.mark = flow.mark;
    walk_.verdict = SRCSEL_UNREACHED;
    walk_.pref = walk_.rule = SRCSEL_NONE;
  }

  std::vector<RuleStep> Run() {
    std::vector<RuleStep> steps;
    const auto rules = snapshot_.Rules(flow_.family);
    bool done = false;
    for (std::size_t i = 0; i < rules.size() && !done; ++i) {
      RuleStep step{.index = i, .pref = rules[i].pref};
      done = Take(rules[i], step);
      steps.push_back(std::move(step));
    }
    return steps;
  }

 private:
  // Whether that was the last.
  bool Take(const srcsel_rule &rule, RuleStep &step) {
    if (step.index < walk_.next) {
      step.end = RuleEnd::kJumpedOver;
      return false;
    }
    if (srcsel_rule_step(static_cast<__u32>(step.index), &walk_) != 0) {
      step.end = walk_.verdict == SRCSEL_ROUTED       ? RuleEnd::kDecides
                 : walk_.verdict == SRCSEL_UNKNOWABLE ? RuleEnd::kUnknown
                                                      : RuleEnd::kForbids;
      step.terms = TermsOf(walk_.route);
      return true;
    }
    if (srcsel_rule_holds(&rule, &flow_, flow_.mark) == SRCSEL_HOLDS_NOT)
      step.missed = Missed(rule, flow_);
    else if (rule.action == SRCSEL_RULE_TABLE)
      step.end = EndOfLookup(rule, step);
    else
      step.end = rule.action == SRCSEL_RULE_GOTO ? RuleEnd::kJumps : RuleEnd::kDoesNothing;
    return false;
  }

  RuleEnd EndOfLookup(const srcsel_rule &rule, RuleStep &step) const {
    if (rule.target == SRCSEL_NONE) return RuleEnd::kNoRoute;
    const __u32 index = srcsel_search_table(walk_.image, walk_.head, rule.target, &flow_);
    const srcsel_route *route = srcsel_route_at(walk_.image, walk_.head, index);
    if (route == nullptr || route->type == RTN_UNSPEC) return RuleEnd::kNoRoute;
    step.terms = TermsOf(index);
    return route->type == RTN_THROW ? RuleEnd::kThrows : RuleEnd::kSuppressed;
  }

  std::optional<std::uint32_t> TermsOf(__u32 index) const {
    const srcsel_route *route = srcsel_route_at(walk_.image, walk_.head, index);
    if (index == 0 || route == nullptr || route->flags & SRCSEL_ROUTE_ROTATES) return std::nullopt;
    return route->detail;
  }

  const Snapshot &snapshot_;
  const srcsel_flow flow_;
  srcsel_rule_walk walk_{};
};

}  // namespace

const char *RuleEndWord(RuleEnd end) {
  switch (end) {
    case RuleEnd::kSkipped:
      return "skipped";
    case RuleEnd::kJumpedOver:
      return "jumped-over";
    case RuleEnd::kJumps:
      return "goto";
    case RuleEnd::kDoesNothing:
      return "nop";
    case RuleEnd::kNoRoute:
      return "no-route";
    case RuleEnd::kThrows:
      return "throw";
    case RuleEnd::kSuppressed:
      return "suppressed";
    case RuleEnd::kDecides:
      return "decides";
    case RuleEnd::kForbids:
      return "forbids";
    case RuleEnd::kUnknown:
      return "unknown";
  }
  return "?";
}

const char *RuleSelectorWord(RuleSelector selector) {
  static constexpr const char *kWords[] = {"to",       "from",  "fwmark", "oif",
                                           "ipproto",  "dport", "sport",  "flowlabel",
                                           "uidrange", "dscp",  "iif"};
  return kWords[static_cast<std::size_t>(selector)];
}

std::vector<RuleStep> RuleSteps(const Snapshot &snapshot, const Flow &flow) {
  const IpAddress src =
      flow.source.IsUnspecified() ? IpAddress::Any(flow.destination.family()) : flow.source;
  const Query query{flow, flow.destination, src, flow.sport, false};
  const bool loose = !flow.destination.is_v4() && !IsStrict6(query);
  return Steps(snapshot, EngineFlow(query, loose ? __u8{SRCSEL_FACT_LOOSE} : __u8{0})).Run();
}

}  // namespace srcsel
