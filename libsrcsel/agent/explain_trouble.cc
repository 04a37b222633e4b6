#include "agent/explain_trouble.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/cgroup_path.hh"
#include "agent/dead_tables.hh"
#include "agent/mark_rules.hh"
#include "agent/rule_words.hh"
#include "agent/steering_commands.hh"
#include "agent/uplink.hh"
#include "agent/way.hh"
#include "base/in_netns.hh"
#include "base/mark.hh"
#include "base/status.hh"
#include "image/compile_policy.hh"
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
    return {absl::StrCat(
                "the policy's rule ", story.policy->rule, " fails the connect() with ",
                ErrorText(error), ": what it wants cannot be had, and it says on-fail = \"reject\"",
                story.policy->lacks.empty() ? "" : ": ", absl::StrJoin(story.policy->lacks, "; ")),
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

// Rules of one preference may be several.
bool Passes(const LookupStory &lookup, const DeadTable &dead) {
  const Mark &mark = dead.rule.mark;
  return lookup.flow.destination.family() == dead.family &&
         (lookup.flow.mark & mark.mask) == mark.value &&
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

// The mark on the socket, where the firewall's comes too late.
void AddEarlierMark(const FlowStory &story, std::uint32_t mark, const std::string &source,
                    Trouble &trouble) {
  trouble.remedies.push_back(absl::StrCat("srcsel run --mark ", Mark{mark}.ToString(),
                                          " -- COMMAND  # one command, from ", source));
  if ((!story.policy || !story.policy->covers) && RunCgroupIn(story.caller.cgroup).empty())
    trouble.remedies.push_back(absl::StrCat(
        "srcsel up  # all of this host: sources follow the firewall's marks, here ", source));
}

bool IsByMark(const Outcome &way, std::uint32_t mark, const State &state) {
  return std::ranges::any_of(MarkRules(state, way.source.family()), [&](const MarkRule &rule) {
    return rule.pref == way.rule && rule.table == way.table &&
           (mark & rule.mark.mask) == rule.mark.value;
  });
}

// A way whose route gives it a source of another interface.
void AddOwnSource(const Outcome &way, const State &state, Trouble &trouble) {
  const int family = way.source.family();
  const std::string device = DeviceName(state, way.oif);
  const auto own = AddressOf(state, DeviceSource{device}, family);
  if (!own) {
    absl::StrAppend(&trouble.text, " What is missing is an ", family == AF_INET ? "IPv4" : "IPv6",
                    " address of ", device, ": ",
                    AsTyped(absl::StrCat("ip address add ADDR/LEN dev ", device)), ".");
    return;
  }
  if (way.nexthop_id != 0) return;
  trouble.remedies.push_back(absl::StrCat(
      family == AF_INET ? "ip" : "ip -6", " route replace ",
      way.dst.length == 0 ? "default" : way.dst.ToString(),
      way.gateway
          ? absl::StrCat(" via ", way.gateway->is_v4() == (family == AF_INET) ? "" : "inet6 ",
                         way.gateway->ToString())
          : "",
      " dev ", device, way.metric != 0 ? absl::StrCat(" metric ", way.metric) : "", " src ",
      own->ToString(), " table ", TableName(way.table), "  # its source is then ", device, "'s"));
}

// Where a mark or an interface leads the packet to another uplink than that of its source. An ip
// rule by source would do nothing, or take it from the mark again.
void AddFittingSource(const FlowStory &story, const Flow &flow, const Snapshot &snapshot,
                      Trouble &trouble) {
  const State &state = snapshot.state();
  Flow marked = flow;
  marked.mark = story.lookups.back().flow.mark;
  marked.source = IpAddress::Any(flow.destination.family());
  const Selection selection = Select(snapshot, marked);
  const Outcome &way = selection.outcome;
  if (!selection.exact() || way.error != 0) return;
  if (!Fits(way, state)) return AddOwnSource(way, state, trouble);
  const std::string source = way.source.ToString();
  if (flow.source.IsUnspecified())
    AddEarlierMark(story, marked.mark, source, trouble);
  else
    absl::StrAppend(&trouble.text, " The source that goes with it is ", source,
                    ": bind that instead.");
}

// What has the flow leave by an interface that does not own its source.
enum class Misled { kByLateMark, kByRoute, kByDevice, kByMark, kByRules };

Misled MisledBy(const FlowStory &story, const Flow &flow, const State &state) {
  if (story.lookups.back().when == LookupWhen::kReroute) return Misled::kByLateMark;
  if (flow.source.IsUnspecified()) return Misled::kByRoute;
  if (flow.oif != 0) return Misled::kByDevice;
  return IsByMark(story.leaves, flow.mark, state) ? Misled::kByMark : Misled::kByRules;
}

std::string WhyMisled(Misled by, const FlowStory &story, const Flow &flow,
                      const std::string &leaves) {
  switch (by) {
    case Misled::kByLateMark:
      return flow.source.IsUnspecified()
                 ? "Linux chooses the source in the first lookup, inside connect(), before there "
                   "is a packet and so before the firewall marks one. The lookup after the mark "
                   "changes interface and gateway, never the source."
                 : "The source is bound before the firewall marks the packet, and the lookup after "
                   "the mark does not change it.";
    case Misled::kByRoute:
      return story.source && story.source->word == "prefsrc"
                 ? "The route names a source of another interface."
                 : absl::StrCat("The route names no source, and ", leaves, " has none.");
    case Misled::kByDevice:
      return "The socket is bound to that interface.";
    case Misled::kByMark:
      return "Its mark leads it there, whatever its source.";
    case Misled::kByRules:
      return "No ip rule leads packets from it to its own uplink.";
  }
  return "";
}

// By the rule that leads it to its own uplink.
absl::Status AddSteering(const FlowStory &story, const Flow &flow, const Uplink &uplink,
                         const State &state, Trouble &trouble) {
  SRCSEL_ASSIGN_OR_RETURN(const Commands commands, CommandsThatSteer({uplink, {flow}}, state));
  AddRemedy(commands,
            absl::StrCat("what is sent from ", story.leaves.source.ToString(), " then leaves by ",
                         uplink.Names(state)),
            trouble);
  return absl::OkStatus();
}

absl::StatusOr<Trouble> Misplaced(const FlowStory &story, const Flow &flow,
                                  const Snapshot &snapshot) {
  const State &state = snapshot.state();
  const Uplink uplink = UplinkOf(story.leaves.source, state);
  const std::string leaves = DeviceName(state, story.leaves.oif);
  const Misled by = MisledBy(story, flow, state);
  Trouble trouble{
      absl::StrCat(story.leaves.source.ToString(), " is ", uplink.Names(state),
                   "'s, and leaves by ", leaves, ". ", WhyMisled(by, story, flow, leaves),
                   " A router behind ", leaves,
                   " that checks where packets come from (reverse-path filter) drops it."),
      {}};
  if (story.firewall && !story.firewall->translating.empty())
    absl::StrAppend(&trouble.text, " The firewall translates sources (",
                    story.firewall->translating.front(),
                    "), which hides that, for what it translates.");
  if (by == Misled::kByRules)
    SRCSEL_RETURN_IF_ERROR(AddSteering(story, flow, uplink, state, trouble));
  else if (by != Misled::kByRoute)
    AddFittingSource(story, flow, snapshot, trouble);
  else if (story.connect.exact())
    AddOwnSource(story.leaves, state, trouble);
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
