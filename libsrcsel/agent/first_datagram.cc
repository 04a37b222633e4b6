#include "agent/first_datagram.hh"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/rule_findings.hh"
#include "agent/sample_flows.hh"
#include "agent/way.hh"
#include "base/status.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

// By each source that the tables give for the rule's mark, the flows that get it.
std::vector<Way> WaysByTables(const PolicyRule &rule, const Snapshot &snapshot) {
  std::map<IpAddress, std::vector<Flow>> flows;
  for (int family : {AF_INET, AF_INET6})
    for (Flow &flow : SampleFlows(rule, family)) {
      Flow marked = flow;
      marked.mark = rule.mark->AppliedTo(flow.mark);
      const Selection selection = Select(snapshot, marked);
      if (!selection.exact() || selection.outcome.error != 0 ||
          selection.outcome.type != RTN_UNICAST)
        continue;
      flow.source = selection.outcome.source;
      flows[flow.source].push_back(std::move(flow));
    }
  std::vector<Way> ways;
  for (auto &[source, of_source] : flows)
    if (Uplink uplink = UplinkOf(source, snapshot.state()); !uplink.devices.empty())
      ways.push_back({std::move(uplink), std::move(of_source)});
  return ways;
}

// What of the rule the finding is about: that it holds for UDP, where it says so.
const char *KeyOf(const PolicyRule &rule) {
  if (!rule.protos.empty()) return "ipproto";
  if (rule.lookup) return "lookup";
  return rule.home_mark ? "source" : "mark";
}

}  // namespace

bool MarksDatagrams(const PolicyRule &rule) {
  return rule.mark && rule.apply == Apply::kMark &&
         (rule.protos.empty() || std::ranges::count(rule.protos, IPPROTO_UDP) > 0);
}

absl::Status ReportFirstDatagrams(const PolicyRule &rule, const Snapshot &snapshot, Advice advice,
                                  Findings &findings, std::vector<Rule> &wanted) {
  PolicyRule datagrams = rule;
  datagrams.protos = {IPPROTO_UDP};
  const State &state = snapshot.state();
  RuleFindings found(rule, findings);
  for (const Way &way :
       SourcesOf(rule).empty() ? WaysByTables(datagrams, snapshot) : WaysOf(datagrams, state)) {
    const auto astray = FirstAstray(way, kNoMark, snapshot);
    if (!astray) continue;
    SRCSEL_RETURN_IF_ERROR(
        AdviseOn(way,
                 absl::StrCat("the first datagram of an unconnected UDP socket has no mark yet: ",
                              Describe(way, *astray, state)),
                 advice, state, Severity::kNote, KeyOf(rule), found, wanted));
  }
  return absl::OkStatus();
}

}  // namespace srcsel
