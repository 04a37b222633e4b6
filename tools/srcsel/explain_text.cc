#include "explain_text.hh"

#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/cgroup_path.hh"
#include "agent/rule_words.hh"
#include "agent/uplink.hh"
#include "base/mark.hh"
#include "base/printable.hh"
#include "base/terminal.hh"
#include "counts.hh"
#include "explain_lookup_text.hh"
#include "image/key.hh"
#include "policy/words.hh"
#include "say.hh"

namespace srcsel {
namespace {

std::string FlowWords(const FlowStory &story, const State &state) {
  const Flow &flow = story.asked;
  std::string text = absl::StrCat(flow.destination.ToString(), " ", ProtocolName(flow.proto));
  const auto add = [&](const auto &...words) { absl::StrAppend(&text, " ", words...); };
  if (flow.dport != 0) add("dport ", flow.dport);
  if (!flow.source.IsUnspecified()) add("from ", flow.source.ToString());
  if (flow.sport != 0) add("sport ", flow.sport);
  if (flow.oif != 0) add("oif ", DeviceName(state, flow.oif));
  if (flow.tos != 0) add("tos ", absl::StrFormat("0x%02x", flow.tos));
  add("mark ", MarkWords(flow.mark));
  add("uid ", flow.uid);
  add("cgroup ", story.caller.cgroup);
  if (story.caller.classid.value_or(0) != 0) add("classid ", ClassWord(*story.caller.classid));
  if (!story.caller.comm.empty()) add("comm ", Printable(story.caller.comm));
  return text;
}

std::string FamilyText(const ExplainContext &context) {
  if (!context.mapped) return "";
  return "  family: IPv4, for ::ffff:a.b.c.d is IPv4-mapped: what an IPv6 socket sends there goes "
         "by the rules and routes of IPv4\n";
}

std::string Lines(const std::vector<std::string> &lines, int depth) {
  std::string text;
  for (const std::string &line : lines)
    absl::StrAppend(&text, std::string(2 * static_cast<std::size_t>(depth), ' '), line, "\n");
  return text;
}

std::string Or(const std::vector<IpAddress> &sources) {
  return absl::StrJoin(sources, ", ", [](std::string *out, const IpAddress &source) {
    *out += source.IsUnspecified() ? "what the kernel chooses" : source.ToString();
  });
}

std::string Bound(const PolicyStory &story, const Flow &asked) {
  if (!story.turns.empty())
    return absl::StrCat(story.at_random ? "at random" : "by turn", ", one of ", Or(story.turns));
  return Or({FromWire(FamilyOf(asked.destination), story.decision.source)});
}

std::string Decided(const PolicyStory &story, const Flow &asked) {
  const srcsel_decision &decision = story.decision;
  std::vector<std::string> does;
  if (decision.apply & SRCSEL_APPLY_MARK && decision.mark_mask != 0)
    does.push_back(absl::StrCat("sets mark ", Mark{decision.mark, decision.mark_mask}.ToString()));
  if (decision.apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    does.push_back(absl::StrCat("binds ", Bound(story, asked)));
  if (decision.apply & SRCSEL_APPLY_PORTS)
    does.push_back(absl::StrCat("takes a port of ", decision.port_first, "-", decision.port_last));
  if (does.empty()) does.emplace_back("the socket is left alone");
  return absl::StrCat(absl::StrJoin(does, ", "), " (", ReasonWord(decision.reason), ")",
                      story.lacks.empty() ? "" : ": ", absl::StrJoin(story.lacks, "; "));
}

std::string PolicyText(const FlowStory &story, const ExplainContext &context) {
  std::string text;
  const std::string run = RunCgroupIn(story.caller.cgroup);
  if (!run.empty())
    text = absl::StrCat("  policy: that of `srcsel run` in cgroup ", run,
                        ", which is not to be read: this is without it\n");
  if (!story.policy) return run.empty() ? "  policy: none is in force\n" : text;
  const PolicyInForce &policy = *context.policy;
  const std::string name = policy.file.empty() ? "the firewall's marks" : Printable(policy.file);
  absl::StrAppend(&text, "  policy: ", name,
                  policy.is_up() ? absl::StrCat(", up on cgroup ", policy.cgroup) : "");
  if (!story.policy->covers)
    return absl::StrCat(text, ": not for cgroup ", story.caller.cgroup, "\n");
  if (!story.policy->here)
    absl::StrAppend(&text, ", for ",
                    policy.netns_name.empty()
                        ? "another network namespace"
                        : absl::StrCat("network namespace ", policy.netns_name),
                    ": here hold only marks and sources that it names");
  absl::StrAppend(&text, "\n");
  for (const PassedRule &passed : story.policy->nearer) {
    std::vector<std::string> words;
    for (const srcsel_property property : passed.missed) words.emplace_back(PropertyWord(property));
    absl::StrAppend(&text, "    ", Printable(policy.RuleName(passed.index)),
                    ": does not hold: ", absl::StrJoin(words, ", "), "\n");
  }
  const std::size_t others = story.policy->passed - story.policy->nearer.size();
  if (others != 0)
    absl::StrAppend(&text, "    ", Counted(others, "other rule"), " before that: further off\n");
  const std::string rule = story.policy->rule.empty()
                               ? "no rule holds"
                               : absl::StrCat(Printable(story.policy->rule), ": holds");
  return absl::StrCat(text, "    ", rule, ": ", Decided(*story.policy, story.asked), "\n");
}

std::string FirewallText(const FlowStory &story, const ExplainContext &context) {
  std::string text;
  if (story.firewall) {
    const NfOutcome &outcome = story.firewall->outcome;
    const std::uint32_t before = story.lookups.back().when == LookupWhen::kReroute
                                     ? story.lookups.front().flow.mark
                                     : story.lookups.back().flow.mark;
    text =
        absl::StrCat("  firewall: ", context.skipped.empty() ? "" : "as far as it could be read, ");
    if (!outcome.unknown.empty())
      absl::StrAppend(&text, "what it does is not known: ", outcome.unknown, "\n");
    else if (outcome.dropped)
      absl::StrAppend(&text, "drops the packet\n");
    else if (outcome.mark != before)
      absl::StrAppend(&text, "gives the packet mark ", MarkWords(outcome.mark),
                      outcome.routed == before ? ", and does not have it routed again\n" : "\n");
    else
      absl::StrAppend(&text, "leaves the mark as it is\n");
    text += Lines(outcome.passed, 2);
  }
  for (const std::string &skipped : context.skipped)
    absl::StrAppend(&text, "  firewall: not read: ", skipped, "\n");
  return text;
}

std::string KernelText(const FlowStory &story) {
  if (story.lookups.empty()) return "";
  return absl::StrCat(
      "  kernel: ",
      story.agrees()
          ? absl::StrCat("agrees, asked for the same ", Counted(story.lookups.size(), "lookup"))
          : absl::StrCat(Coloured(Colour::kRed, "disagrees"),
                         ": its state changed meanwhile, or this is a fault of srcsel"),
      "\n");
}

std::string LeavesWords(const FlowStory &story, const State &state) {
  const bool dropped = story.firewall && story.firewall->outcome.dropped;
  if (story.leaves.error != 0 || dropped)
    return absl::StrCat(
        Coloured(Colour::kRed, "not at all"), ", ",
        story.leaves.error != 0 ? std::strerror(story.leaves.error) : "the firewall drops it");
  return absl::StrCat(
      "by ", DeviceName(state, story.leaves.oif),
      story.leaves.gateway ? absl::StrCat(" via ", story.leaves.gateway->ToString()) : "", " from ",
      story.leaves.source.ToString());
}

std::string LeavesText(const FlowStory &story, const State &state) {
  std::string text = absl::StrCat("  leaves: ", LeavesWords(story, state), "\n");
  for (std::size_t i = 0; i < story.others.size(); ++i)
    absl::StrAppend(&text, "    or, with ", Or({story.policy->turns[i + 1]}), ": ",
                    LeavesWords(story.others[i], state), "\n");
  return text;
}

std::string SourceText(const FlowStory &story) {
  if (!story.source) return "";
  const Outcome &outcome = story.connect.outcome;
  const IpAddress &source = outcome.error == 0 ? outcome.source : story.lookups.front().flow.source;
  std::string text = absl::StrCat("  source: ", Coloured(Colour::kBold, source.ToString()), ": ",
                                  story.source->text, "\n");
  if (story.connect.exact()) return text;
  absl::StrAppend(&text, "    not certain: ", AmbiguityText(story.connect.why), "\n");
  return text;
}

}  // namespace

std::string ExplainText(const FlowStory &story, const ExplainContext &context) {
  const State &state = context.snapshot.state();
  std::string text = absl::StrCat(Coloured(Colour::kBold, FlowWords(story, state)), "\n",
                                  FamilyText(context), PolicyText(story, context));
  std::string firewall = FirewallText(story, context);
  const LookupStory *before = nullptr;
  for (const LookupStory &lookup : story.lookups) {
    if (lookup.when == LookupWhen::kReroute) text += std::exchange(firewall, "");
    text += LookupText(lookup, before, state);
    if (before == nullptr) text += SourceText(story);
    before = &lookup;
  }
  absl::StrAppend(&text, firewall, LeavesText(story, state), KernelText(story));
  for (const Trouble &trouble : story.troubles)
    absl::StrAppend(&text, "  ", Coloured(Colour::kRed, "trouble"), ": ", trouble.text, "\n",
                    Lines(trouble.remedies, 2));
  return text;
}

}  // namespace srcsel
