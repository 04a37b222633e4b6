#include "explain_lookup_text.hh"

#include <linux/rtnetlink.h>

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/rule_words.hh"
#include "agent/uplink.hh"

namespace srcsel {
namespace {

// So many rules are told one by one; of more, those that were skipped in a row are one line.
constexpr std::size_t kManyRules = 20;

std::string MissWords(RuleSelector selector, const Flow &flow, const State &state) {
  const std::string word = RuleSelectorWord(selector);
  switch (selector) {
    case RuleSelector::kFrom:
      return flow.source.IsUnspecified() ? "from, there is no source yet"
                                         : absl::StrCat("from, it is ", flow.source.ToString());
    case RuleSelector::kMark:
      return absl::StrCat("fwmark, it is ", MarkWords(flow.mark));
    case RuleSelector::kUid:
      return absl::StrCat("uidrange, it is ", flow.uid);
    case RuleSelector::kOif:
      return absl::StrCat("oif, it is ", flow.oif == 0 ? "none" : DeviceName(state, flow.oif));
    case RuleSelector::kProto:
      return absl::StrCat("ipproto, it is ", ProtocolName(flow.proto));
    case RuleSelector::kDport:
      return absl::StrCat("dport, it is ", flow.dport);
    case RuleSelector::kSport:
      return flow.sport == 0 ? "sport, there is none yet"
                             : absl::StrCat("sport, it is ", flow.sport);
    case RuleSelector::kNever:
      return "it is not for what this host sends";
    default:
      return word;
  }
}

std::string StepsText(const LookupStory &lookup, const State &state) {
  std::string text;
  const int family = lookup.flow.destination.family();
  for (std::size_t i = 0; i < lookup.steps.size(); ++i) {
    const RuleStep &step = lookup.steps[i];
    std::size_t last = i;
    while (lookup.steps.size() > kManyRules && last + 1 < lookup.steps.size() &&
           step.end == RuleEnd::kSkipped && lookup.steps[last + 1].end == RuleEnd::kSkipped)
      ++last;
    if (last != i) {
      absl::StrAppend(&text, "    rules ", step.pref, " to ", lookup.steps[last].pref, ": ",
                      last - i + 1, " skipped\n");
      i = last;
      continue;
    }
    absl::StrAppend(&text, "    rule ", step.pref, ": ",
                    RuleWords(state, family, step.index, step.pref), ": ",
                    StepWords(step, lookup, state), "\n");
  }
  return text;
}

std::string When(const LookupStory &lookup) {
  const std::string mark = absl::StrCat("mark ", MarkWords(lookup.flow.mark));
  const std::string from = lookup.flow.source.IsUnspecified()
                               ? "no source yet"
                               : absl::StrCat("from ", lookup.flow.source.ToString());
  switch (lookup.when) {
    case LookupWhen::kFirst:
      return absl::StrCat("first lookup, inside connect(): ", mark, ", ", from);
    case LookupWhen::kAgain:
      return absl::StrCat("second lookup, inside connect(): ", mark, ", ", from);
    case LookupWhen::kReroute:
      return absl::StrCat("lookup after the firewall's mark: ", mark, ", ", from);
  }
  return "";
}

bool SameWay(const Outcome &a, const Outcome &b) {
  return a.error == b.error && a.oif == b.oif && a.gateway == b.gateway && a.table == b.table;
}

}  // namespace

std::string MarkWords(std::uint32_t mark) {
  return mark == 0 ? "0" : absl::StrFormat("0x%x", mark);
}

std::string RouteWords(const Outcome &outcome, const State &state) {
  std::string text =
      outcome.type == RTN_UNICAST ? "" : absl::StrCat(RouteTypeWord(outcome.type), " ");
  absl::StrAppend(&text, outcome.dst.length == 0 ? "default" : outcome.dst.ToString());
  if (outcome.gateway) absl::StrAppend(&text, " via ", outcome.gateway->ToString());
  absl::StrAppend(&text, " dev ", DeviceName(state, outcome.oif));
  if (outcome.nexthop_id != 0) absl::StrAppend(&text, " nhid ", outcome.nexthop_id);
  if (outcome.metric != 0) absl::StrAppend(&text, " metric ", outcome.metric);
  return text;
}

std::string AnswerWords(const Outcome &outcome, const State &state) {
  return outcome.error != 0 ? std::strerror(outcome.error) : RouteWords(outcome, state);
}

std::string StepWords(const RuleStep &step, const LookupStory &lookup, const State &state) {
  const std::string to = lookup.flow.destination.ToString();
  switch (step.end) {
    case RuleEnd::kSkipped:
      if (step.missed.empty()) return "skipped: what it excludes holds";
      return absl::StrCat(
          "skipped: ",
          absl::StrJoin(step.missed, "; ", [&](std::string *out, RuleSelector selector) {
            *out += MissWords(selector, lookup.flow, state);
          }));
    case RuleEnd::kJumpedOver:
      return "jumped over";
    case RuleEnd::kJumps:
      return "holds, and goes on there";
    case RuleEnd::kDoesNothing:
      return "holds, and does nothing";
    case RuleEnd::kNoRoute:
      return absl::StrCat("holds; the table has no route to ", to);
    case RuleEnd::kThrows:
      return "holds; the table's route says to go on (throw)";
    case RuleEnd::kSuppressed:
      return "holds; the table's route is suppressed by the rule";
    case RuleEnd::kDecides:
      return "holds, and its table decides";
    case RuleEnd::kForbids:
      return absl::StrCat("refuses",
                          step.terms
                              ? absl::StrCat(", by a route of type ",
                                             RouteTypeWord(state.routes.terms()[*step.terms].type))
                              : "",
                          ": ", std::strerror(lookup.selection.outcome.error));
    case RuleEnd::kUnknown:
      return "not to be known";
  }
  return "";
}

std::string LookupText(const LookupStory &lookup, const LookupStory *before, const State &state) {
  std::string text = absl::StrCat("  ", When(lookup));
  const Selection &found = lookup.selection;
  const bool same = before != nullptr && lookup.when == LookupWhen::kAgain && found.exact() &&
                    SameWay(before->selection.outcome, found.outcome);
  if (same) {
    absl::StrAppend(&text, ": the same\n");
  } else {
    absl::StrAppend(&text, "\n", StepsText(lookup, state));
    if (lookup.steps.empty() || found.outcome.error == 0)
      absl::StrAppend(&text, "    route: ", AnswerWords(found.outcome, state), "\n");
  }
  if (!found.exact()) {
    absl::StrAppend(&text, "    not certain: ", AmbiguityText(found.why), "\n");
    for (const Outcome &candidate : found.candidates)
      absl::StrAppend(&text, "    perhaps: ", AnswerWords(candidate, state), "\n");
  }
  if (!lookup.agrees)
    absl::StrAppend(&text, "    the kernel disagrees: ", AnswerWords(lookup.kernel, state), "\n");
  return text;
}

}  // namespace srcsel
