#include "agent/explain_trouble.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/cgroup_path.hh"
#include "agent/dead_tables.hh"
#include "agent/rule_words.hh"
#include "agent/steering_commands.hh"
#include "agent/uplink.hh"
#include "agent/way.hh"
#include "base/mark.hh"
#include "base/status.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

std::string ErrorText(int error) {
  return absl::StrCat(strerrorname_np(error), " (", std::strerror(error), ")");
}

// Which rule or route it is that refuses.
std::string WhyRefused(const LookupStory &lookup, const State &state) {
  const Outcome &outcome = lookup.selection.outcome;
  const std::string to = lookup.flow.destination.ToString();
  if (!lookup.steps.empty() && lookup.steps.back().end == RuleEnd::kForbids) {
    const RuleStep &last = lookup.steps.back();
    const std::string rule = absl::StrCat("ip rule ", last.pref);
    if (outcome.table == 0 || !last.terms)
      return absl::StrCat(
          rule, " refuses it: ",
          RuleWords(state, lookup.flow.destination.family(), last.index, last.pref));
    return absl::StrCat(rule, " leads to table ", TableName(outcome.table),
                        ", where a route of type ",
                        RouteTypeWord(state.routes.terms()[*last.terms].type), " is for ", to);
  }
  if (!lookup.steps.empty() && outcome.error == ENETUNREACH)
    return absl::StrCat("the ip rules have run out: no table that they lead to has a route to ",
                        to);
  switch (outcome.error) {
    case ENODEV:
      return "the interface it is bound to is not there";
    case EINVAL:
      return "the source would be a loopback address, which leaves by no other interface, or a "
             "group's";
    case EADDRNOTAVAIL:
      return "there is a route, and no address of this host to send from";
    case ENETUNREACH:
      return absl::StrCat(lookup.flow.source.ToString(),
                          " is none of this host's addresses, or the interface is down");
    default:
      return "a check before any lookup refuses it";
  }
}

Trouble Unreachable(const FlowStory &story, const State &state) {
  const int error = story.leaves.error;
  if (story.refused != 0)
    return {absl::StrCat("the policy's rule ", story.policy->rule, " fails the connect() with ",
                         ErrorText(error),
                         ": what it wants cannot be had, and it says on-fail = \"reject\""),
            {}};
  const LookupStory *refusing = nullptr;
  for (const LookupStory &lookup : story.lookups)
    if (lookup.selection.outcome.error != 0) refusing = &lookup;
  const bool rerouted = refusing != nullptr && refusing->when == LookupWhen::kReroute;
  return {absl::StrCat(rerouted ? "the packet is dropped when it is routed again, with "
                                : "connect() fails with ",
                       ErrorText(error), ": ",
                       refusing != nullptr ? WhyRefused(*refusing, state)
                                           : "the kind of destination does not allow it"),
          {}};
}

bool Fits(const Outcome &outcome, const State &state) {
  return outcome.error == 0 && UplinkOf(outcome.source, state).Has(outcome.oif);
}

// `brings` is for what can be typed to the end.
void AddRemedy(const Commands &commands, absl::string_view brings, Trouble &trouble) {
  const bool whole = commands.missing.empty();
  if (!whole) absl::StrAppend(&trouble.text, " What is missing is ", commands.missing, ".");
  if (!commands.typed.empty())
    trouble.remedies.push_back(absl::StrCat(commands.typed, "  # ", whole ? brings : "first"));
}

bool Passes(const LookupStory &lookup, const DeadTable &dead) {
  return lookup.flow.destination.family() == dead.family &&
         std::ranges::any_of(lookup.steps, [&](const RuleStep &step) {
           return step.pref == dead.rule.pref && step.end != RuleEnd::kSkipped &&
                  step.end != RuleEnd::kJumpedOver;
         });
}

// The first dead table that the flow's mark leads it to.
std::optional<Trouble> DeadEnd(const FlowStory &story, const State &state) {
  for (const DeadTable &dead : FindDeadTables(state))
    for (const LookupStory &lookup : story.lookups)
      if (Passes(lookup, dead)) {
        Trouble trouble{absl::StrCat(dead.words, "."), {}};
        AddRemedy(dead.mend,
                  absl::StrCat("table ", TableName(dead.rule.table), " then has a default route"),
                  trouble);
        return trouble;
      }
  return std::nullopt;
}

// What helps where the firewall's mark comes too late: the same mark on the socket.
std::vector<std::string> EarlierMark(const FlowStory &story, const Flow &flow,
                                     const Snapshot &snapshot) {
  const std::uint32_t mark = story.firewall->outcome.routed;
  Flow marked = flow;
  marked.mark = mark;
  const Selection selection = Select(snapshot, marked);
  if (!selection.exact() || !Fits(selection.outcome, snapshot.state())) return {};
  const std::string source = selection.outcome.source.ToString();
  std::vector<std::string> remedies{absl::StrCat("srcsel run --mark ", Mark{mark}.ToString(),
                                                 " -- COMMAND  # one command, from ", source)};
  if ((!story.policy || !story.policy->covers) && RunCgroupIn(story.caller.cgroup).empty())
    remedies.push_back(absl::StrCat(
        "srcsel up  # all of this host: sources follow the firewall's marks, here ", source));
  return remedies;
}

absl::StatusOr<Trouble> Misplaced(const FlowStory &story, const Flow &flow,
                                  const Snapshot &snapshot) {
  const State &state = snapshot.state();
  const Uplink uplink = UplinkOf(story.leaves.source, state);
  const std::string source = story.leaves.source.ToString(), owner = uplink.Names(state),
                    leaves = DeviceName(state, story.leaves.oif);
  Trouble trouble{absl::StrCat(source, " is ", owner, "'s, and leaves by ", leaves, ". "), {}};
  const bool rerouted = story.lookups.back().when == LookupWhen::kReroute;
  const bool bound = !flow.source.IsUnspecified();
  if (rerouted && !bound)
    absl::StrAppend(&trouble.text,
                    "Linux chooses the source in the first lookup, inside connect(), before there "
                    "is a packet and so before the firewall marks one. The lookup after the mark "
                    "changes interface and gateway, never the source. ");
  else if (rerouted)
    absl::StrAppend(&trouble.text,
                    "The source is bound before the firewall marks the packet, and "
                    "the lookup after the mark does not change it. ");
  else
    absl::StrAppend(&trouble.text, bound ? "No ip rule leads packets from it to its own uplink. "
                                         : "The route names a source of another interface. ");
  absl::StrAppend(&trouble.text, "A router behind ", leaves,
                  " that checks where packets come from (reverse-path filter) drops it.");
  if (story.firewall && !story.firewall->translating.empty())
    absl::StrAppend(&trouble.text, " The firewall translates sources (",
                    story.firewall->translating.front(),
                    "), which hides that, for what it translates.");
  if (rerouted && !bound) trouble.remedies = EarlierMark(story, flow, snapshot);
  if (!trouble.remedies.empty()) return trouble;
  Flow from = flow;
  from.source = story.leaves.source;
  if (rerouted) from.mark = story.firewall->outcome.routed;
  SRCSEL_ASSIGN_OR_RETURN(const Commands commands, CommandsThatSteer({uplink, {from}}, state));
  AddRemedy(commands, absl::StrCat("what is sent from ", source, " then leaves by ", owner),
            trouble);
  return trouble;
}

}  // namespace

absl::StatusOr<std::vector<Trouble>> TroublesOf(const FlowStory &story, const Flow &flow,
                                                const Snapshot &snapshot) {
  const State &state = snapshot.state();
  std::vector<Trouble> troubles;
  if (story.leaves.error != 0) troubles.push_back(Unreachable(story, state));
  if (auto dead_end = DeadEnd(story, state)) troubles.push_back(*std::move(dead_end));
  if (story.leaves.error != 0) return troubles;
  const Uplink uplink = UplinkOf(story.leaves.source, state);
  if (story.leaves.type == RTN_UNICAST && !uplink.devices.empty() &&
      !uplink.Has(story.leaves.oif)) {
    SRCSEL_ASSIGN_OR_RETURN(Trouble trouble, Misplaced(story, flow, snapshot));
    troubles.push_back(std::move(trouble));
  }
  return troubles;
}

}  // namespace srcsel
