#include "differential/hosts/compare.hh"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "differential/hosts/dial_flow.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

std::string Words(const Outcome &outcome) {
  const std::string rule =
      outcome.rule == kNoRule ? "no rule" : absl::StrCat("rule ", outcome.rule);
  if (outcome.error)
    return absl::StrCat(strerror(outcome.error), ", ", rule, " table ", outcome.table);
  return absl::StrCat("dev ", outcome.oif,
                      outcome.gateway ? " via " + outcome.gateway->ToString() : "", " src ",
                      outcome.source.ToString(), " type ", outcome.type, " table ", outcome.table,
                      ", ", rule, " route ", outcome.dst.ToString(), " metric ", outcome.metric,
                      outcome.nexthop_id ? absl::StrCat(" nhid ", outcome.nexthop_id) : "",
                      outcome.mtu ? absl::StrCat(" mtu ", outcome.mtu) : "");
}

// What RTM_GETROUTE tells.
std::string KernelsWords(const Outcome &reply) {
  if (reply.error) return strerror(reply.error);
  return absl::StrCat("dev ", reply.oif, reply.gateway ? " via " + reply.gateway->ToString() : "",
                      " src ", reply.source.ToString(), " type ", reply.type, " table ",
                      reply.table);
}

std::string Words(const Connected &connected) {
  if (connected.error) return strerror(connected.error);
  return absl::StrCat("src ", connected.source.ToString(), " mtu ", connected.mtu);
}

// The kernel says "main" for a route of the local table while the two are one, and in IPv6 the
// table of another route that shares the nexthop object.
bool IsTable(const Outcome &ours, std::uint32_t kernels) {
  if (ours.table == kernels) return true;
  if (ours.dst.address.is_v4()) return ours.table == RT_TABLE_LOCAL && kernels == RT_TABLE_MAIN;
  return ours.nexthop_id != 0;
}

// Routes that share a nexthop object may get each other's.
bool IsMtu(const Outcome &ours, int kernels, const Reading &reading) {
  if (kernels == (ours.mtu ? static_cast<int>(ours.mtu) : reading.MtuOf(ours.oif))) return true;
  if (ours.nexthop_id == 0) return false;
  return kernels == reading.MtuOf(ours.oif) ||
         std::ranges::any_of(reading.state().routes.terms(), [&](const RouteTerms &terms) {
           return terms.nexthop_id != 0 && static_cast<int>(terms.mtu) == kernels;
         });
}

bool AgreesWithReply(const Outcome &ours, const Outcome &kernel, const Flow &flow) {
  if (ours.error || kernel.error) return ours.error == kernel.error;
  return ours.oif == kernel.oif && ours.gateway == kernel.gateway && IsTable(ours, kernel.table) &&
         ours.type == kernel.type && (!flow.source.IsUnspecified() || ours.source == kernel.source);
}

bool Agrees(const Outcome &ours, const Connected &kernel, const Reading &reading) {
  if (ours.error || kernel.error) return ours.error == kernel.error;
  return ours.source == kernel.source && IsMtu(ours, kernel.mtu, reading);
}

template <typename F>
bool AnyAgrees(const Selection &selection, F agrees) {
  if (selection.exact()) return agrees(selection.outcome);
  return !selection.complete || std::ranges::any_of(selection.candidates, agrees);
}

Flow AsLookup(Flow flow) {
  const bool v4 = flow.destination.is_v4();
  flow.transparent = flow.broadcast = false;
  flow.prefer = 0;
  flow.oif_strict = v4 || flow.source.IsUnspecified();
  return flow;
}

Flow AsSocket(Flow flow) {
  const IpAddress &to = flow.destination;
  if (flow.oif == 0 || to.is_v4() || flow.proto == IPPROTO_TCP || to.IsLinkLocal() ||
      to.IsMulticast())
    flow.oif_strict = true;
  return flow;
}

}  // namespace

Question QuestionOf(const Flow &flow) {
  return {.to = flow.destination,
          .from = flow.source,
          .oif = flow.oif,
          .mark = flow.mark,
          .tos = flow.tos,
          .proto = flow.proto,
          .sport = flow.sport,
          .dport = flow.dport,
          .flow_label = flow.label,
          .uid = flow.uid};
}

std::string InWords(const Selection &selection) {
  if (selection.exact()) return Words(selection.outcome);
  std::string words = absl::StrCat("ambiguous (", AmbiguityWord(selection.why), ")");
  for (const Outcome &candidate : selection.candidates)
    absl::StrAppend(&words, "\n    or ", Words(candidate));
  return words;
}

absl::StatusOr<Comparison> Compare(const Reading &reading, const RouteOracle &kernel, Way way,
                                   const Flow &flow) {
  return Compare(reading, kernel, way, flow, [&](Way asked, const Flow &put) {
    return asked == Way::kLookup ? Lookup(reading.snapshot(), put)
                                 : Select(reading.snapshot(), put);
  });
}

absl::StatusOr<Comparison> Compare(const Reading &reading, const RouteOracle &kernel, Way way,
                                   const Flow &flow, Answerer ours) {
  Comparison comparison;
  comparison.way = way;
  if (way == Way::kLookup) {
    // Under this policy IPv4 hashes a packet that it makes up.
    if (flow.destination.is_v4() && reading.state().settings.multipath_policy[0] == 3)
      return comparison;
    comparison.flow = AsLookup(flow);
    SRCSEL_ASSIGN_OR_RETURN(const Outcome reply, kernel.Ask(QuestionOf(comparison.flow)));
    comparison.kernel = KernelsWords(reply);
    SRCSEL_ASSIGN_OR_RETURN(comparison.ours, ours(way, comparison.flow));
    comparison.agrees = AnyAgrees(comparison.ours, [&](const Outcome &outcome) {
      return AgreesWithReply(outcome, reply, comparison.flow);
    });
  } else {
    comparison.flow = AsSocket(flow);
    const std::optional<Connected> connected = DialFlow(comparison.flow);
    if (!connected) return comparison;
    comparison.kernel = Words(*connected);
    SRCSEL_ASSIGN_OR_RETURN(comparison.ours, ours(way, comparison.flow));
    comparison.agrees = AnyAgrees(comparison.ours, [&](const Outcome &outcome) {
      return Agrees(outcome, *connected, reading);
    });
  }
  comparison.asked = true;
  return comparison;
}

}  // namespace srcsel
