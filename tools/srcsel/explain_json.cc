#include "explain_json.hh"

#include <cstring>

#include "agent/rule_words.hh"
#include "agent/uplink.hh"
#include "base/mark.hh"
#include "counts.hh"
#include "explain_lookup_text.hh"
#include "image/key.hh"

namespace srcsel {
namespace {

using Json = nlohmann::ordered_json;

Json FlowJson(const Flow &flow, const State &state) {
  Json json = {{"dst", flow.destination.ToString()}};
  if (flow.proto != 0) json["ipproto"] = ProtocolName(flow.proto);
  if (flow.dport != 0) json["dport"] = flow.dport;
  if (!flow.source.IsUnspecified()) json["from"] = flow.source.ToString();
  if (flow.sport != 0) json["sport"] = flow.sport;
  if (flow.oif != 0) json["oif"] = DeviceName(state, flow.oif);
  json["mark"] = flow.mark;
  json["uid"] = flow.uid;
  return json;
}

Json OutcomeJson(const Outcome &outcome, const State &state) {
  Json json = Json::object();
  if (outcome.error != 0) json["error"] = strerrorname_np(outcome.error);
  if (outcome.rule != kNoRule) json["rule"] = outcome.rule;
  if (outcome.table != 0) json["table"] = TableName(outcome.table);
  if (outcome.error != 0) return json;
  json["type"] = RouteTypeWord(outcome.type);
  json["route"] = outcome.dst.length == 0 ? "default" : outcome.dst.ToString();
  if (outcome.gateway) json["gateway"] = outcome.gateway->ToString();
  json["dev"] = DeviceName(state, outcome.oif);
  json["prefsrc"] = outcome.source.ToString();
  return json;
}

Json PolicyJson(const FlowStory &story, const PolicyInForce &policy) {
  const PolicyStory &told = *story.policy;
  Json json = {
      {"file", policy.file}, {"up", policy.is_up()}, {"covers", told.covers}, {"here", told.here}};
  if (policy.is_up()) json["cgroup"] = policy.cgroup;
  if (!told.covers) return json;
  const srcsel_decision &decision = told.decision;
  json["rule"] = told.rule;
  json["reason"] = std::string(ReasonWord(decision.reason));
  if (decision.apply & SRCSEL_APPLY_MARK)
    json["mark"] = Mark{decision.mark, decision.mark_mask}.ToString();
  if (decision.apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    json["source"] = FromWire(FamilyOf(story.asked.destination), decision.source).ToString();
  if (decision.apply & SRCSEL_APPLY_PORTS)
    json["ports"] = {decision.port_first, decision.port_last};
  if (!told.turns.empty()) json["pick"] = told.at_random ? "random" : "round-robin";
  if (!told.lacks.empty()) json["lacks"] = told.lacks;
  json["passed"] = told.passed;
  json["nearer"] = Json::array();
  for (const PassedRule &passed : told.nearer) {
    Json missed = Json::array();
    for (const srcsel_property property : passed.missed) missed.push_back(PropertyWord(property));
    json["nearer"].push_back({{"rule", policy.RuleName(passed.index)}, {"missed", missed}});
  }
  return json;
}

const char *WhenWord(LookupWhen when) {
  switch (when) {
    case LookupWhen::kFirst:
      return "connect";
    case LookupWhen::kAgain:
      return "connect-again";
    case LookupWhen::kReroute:
      return "reroute";
  }
  return "?";
}

Json LookupJson(const LookupStory &lookup, const State &state) {
  Json steps = Json::array();
  for (const RuleStep &step : lookup.steps) {
    Json one = {{"pref", step.pref},
                {"rule", RuleWords(state, lookup.flow.destination.family(), step.index, step.pref)},
                {"did", RuleEndWord(step.end)}};
    if (step.end == RuleEnd::kSkipped) {
      one["missed"] = Json::array();
      for (const RuleSelector selector : step.missed)
        one["missed"].push_back(RuleSelectorWord(selector));
    }
    steps.push_back(std::move(one));
  }
  const Selection &found = lookup.selection;
  Json json = {{"when", WhenWord(lookup.when)},
               {"flow", FlowJson(lookup.flow, state)},
               {"rules", std::move(steps)},
               {"answer", OutcomeJson(found.outcome, state)},
               {"exact", found.exact()}};
  if (!found.exact()) {
    json["why"] = std::string(AmbiguityWord(found.why));
    json["candidates"] = Json::array();
    for (const Outcome &candidate : found.candidates)
      json["candidates"].push_back(OutcomeJson(candidate, state));
  }
  json["kernel"] = OutcomeJson(lookup.kernel, state);
  json["kernel"].erase("route");  // it does not tell the prefix
  json["agrees"] = lookup.agrees;
  return json;
}

Json FirewallJson(const FirewallStory &firewall, const std::vector<std::string> &skipped) {
  const NfOutcome &outcome = firewall.outcome;
  Json json = {{"known", outcome.unknown.empty()}};
  if (!outcome.unknown.empty())
    json["unknown"] = outcome.unknown;
  else
    json.update({{"dropped", outcome.dropped}, {"mark", outcome.mark}, {"routed", outcome.routed}});
  json["passed"] = outcome.passed;
  json["translating"] = firewall.translating;
  json["skipped"] = skipped;
  return json;
}

Json TurnJson(const IpAddress &source, const FlowStory &story, const State &state) {
  return {{"source", source.IsUnspecified() ? "kernel" : source.ToString()},
          {"leaves", OutcomeJson(story.leaves, state)}};
}

}  // namespace

Json ExplainJson(const FlowStory &story, const ExplainContext &context) {
  const State &state = context.snapshot.state();
  Json json = {{"flow", FlowJson(story.asked, state)}};
  json["flow"]["cgroup"] = story.caller.cgroup;
  json["flow"]["classid"] = story.caller.classid ? Json(*story.caller.classid) : Json(nullptr);
  json["flow"]["comm"] = story.caller.comm;
  if (context.mapped) json["flow"]["mapped"] = true;
  json["policy"] = story.policy ? PolicyJson(story, *context.policy) : Json(nullptr);
  json["lookups"] = Json::array();
  for (const LookupStory &lookup : story.lookups)
    json["lookups"].push_back(LookupJson(lookup, state));
  if (story.source)
    json["source"] = {{"address", story.connect.outcome.source.ToString()},
                      {"why", story.source->word},
                      {"because", story.source->text}};
  else
    json["source"] = nullptr;
  json["firewall"] =
      story.firewall ? FirewallJson(*story.firewall, context.skipped) : Json(nullptr);
  json["leaves"] = OutcomeJson(story.leaves, state);
  if (!story.others.empty()) {
    json["turns"] = Json::array();
    json["turns"].push_back(TurnJson(story.policy->turns[0], story, state));
    for (std::size_t i = 0; i < story.others.size(); ++i)
      json["turns"].push_back(TurnJson(story.policy->turns[i + 1], story.others[i], state));
  }
  json["exact"] = story.exact();
  json["agrees"] = story.agrees();
  json["troubles"] = Json::array();
  for (const Trouble &trouble : story.troubles)
    json["troubles"].push_back({{"text", trouble.text}, {"remedies", trouble.remedies}});
  return json;
}

}  // namespace srcsel
