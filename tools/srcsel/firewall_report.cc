#include "firewall_report.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/mark_rules.hh"
#include "agent/sample_flows.hh"
#include "agent/uplink.hh"
#include "image/policy_rows.hh"
#include "lookup/select.hh"
#include "lookup/snapshot.hh"
#include "source_nats.hh"

namespace srcsel {
namespace {

struct Line {
  std::string rule, mark, socket, tables, sources;
};

void AddOnce(std::vector<std::string> &list, const std::string &item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

std::string TablesOf(const State &state, std::uint32_t mark) {
  std::vector<std::string> tables;
  for (int family : {AF_INET, AF_INET6}) {
    const std::vector<MarkRule> rules = MarkRules(state, family);
    const auto rule = std::ranges::find_if(
        rules, [&](const MarkRule &r) { return (mark & r.mark.mask) == r.mark.value; });
    if (rule != rules.end()) AddOnce(tables, TableName(rule->table));
  }
  return tables.empty() ? "-" : absl::StrJoin(tables, ",");
}

// Of the first flow of each family that the rule holds for.
std::string SourcesOf(const PolicyRule &rule, const Snapshot &snapshot) {
  std::vector<std::string> sources;
  for (int family : {AF_INET, AF_INET6}) {
    std::vector<Flow> flows = SampleFlows(rule, family);
    if (flows.empty()) continue;
    flows.front().mark = rule.mark->AppliedTo(flows.front().mark);
    const Selection selection = Select(snapshot, flows.front());
    if (selection.exact() && !selection.outcome.source.IsUnspecified())
      AddOnce(sources, selection.outcome.source.ToString());
  }
  return sources.empty() ? "-" : absl::StrJoin(sources, ",");
}

Line LineOf(const PolicyRule &rule, const State &state, const Snapshot &snapshot) {
  return {rule.name, rule.mark->ToString(), rule.apply == Apply::kMark ? "marked" : "bound",
          TablesOf(state, rule.mark->AppliedTo(0)), SourcesOf(rule, snapshot)};
}

std::string Table(const std::vector<Line> &lines) {
  std::string text;
  std::size_t width = 4;
  for (const Line &line : lines) width = std::max(width, line.rule.size());
  for (const Line &line : lines)
    absl::StrAppendFormat(&text, "%-*s  %-11s %-7s %-11s %s\n", static_cast<int>(width), line.rule,
                          line.mark, line.socket, line.tables, line.sources);
  return text;
}

bool IsForPing(const PolicyRule &rule) {
  return rule.protos.empty() || std::ranges::any_of(rule.protos, [](std::uint8_t proto) {
           return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
         });
}

bool AsksForDestination(const PolicyRule &rule) {
  return !rule.dports.empty() || !rule.sets.empty() || (!rule.to.empty() && !OnlyFamily(rule));
}

// The rules that hold for pings and whose mark is not there when the socket is created: no hook
// sees the sendto() of such sockets.
std::vector<std::string> BeyondCreation(const MarkPolicy &policy) {
  std::vector<std::string> names;
  bool asked = false;
  for (const PolicyRule &rule : policy.rules) {
    if (!IsForPing(rule)) continue;
    asked |= AsksForDestination(rule);
    if (rule.mark && (asked || rule.apply == Apply::kBind)) AddOnce(names, rule.name);
  }
  return names;
}

std::string List(const char *title, const std::vector<std::string> &lines) {
  if (lines.empty()) return "";
  return absl::StrCat(title, "\n  ", absl::StrJoin(lines, "\n  "), "\n");
}

}  // namespace

std::string FirewallReport(const HostMarks &marks, const State &state) {
  std::string text;
  const auto snapshot = Snapshot::Make(state, 1);
  std::vector<Line> lines;
  for (const PolicyRule &rule : marks.policy().rules)
    if (snapshot.ok() && rule.mark) lines.push_back(LineOf(rule, state, **snapshot));
  if (!lines.empty()) {
    lines.insert(lines.begin(), {"RULE", "MARK", "SOCKET", "TABLE", "SOURCE"});
    text = Table(lines);
  }
  absl::StrAppend(&text, List("not known, and left to the kernel:", marks.Limits()));
  absl::StrAppend(&text,
                  List("come too late for ping and raw sockets that do not connect (for ping, "
                       "srcsel run --via preload helps):",
                       BeyondCreation(marks.policy())));
  if (lines.empty()) return text;
  const SourceNats nats = SortSourceNats(marks.firewall());
  return absl::StrCat(text, List("needless now, yours to remove:", NamesOf(nats.needless)),
                      List("needless now for what this host sends, needed for what it forwards:",
                           NamesOf(nats.forwarding)));
}

}  // namespace srcsel
