#include "firewall_report.hh"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/mark_rules.hh"
#include "agent/sample_flows.hh"
#include "agent/up_policy.hh"
#include "agent/uplink.hh"
#include "image/policy_rows.hh"
#include "lookup/select.hh"
#include "lookup/snapshot.hh"
#include "source_nats.hh"

namespace srcsel {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
void AddOnce(std::vector<T> &list, const T &item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

std::vector<std::string> TablesOf(const State &state, std::uint32_t mark) {
  std::vector<std::string> tables;
  for (int family : {AF_INET, AF_INET6}) {
    const std::vector<MarkRule> rules = MarkRules(state, family);
    const auto rule = std::ranges::find_if(
        rules, [&](const MarkRule &r) { return (mark & r.mark.mask) == r.mark.value; });
    if (rule != rules.end()) AddOnce(tables, TableName(rule->table));
  }
  return tables;
}

// Of the first flow of each family that the rule holds for.
std::vector<std::string> SourcesOf(const PolicyRule &rule, const Snapshot &snapshot) {
  std::vector<std::string> sources;
  for (int family : {AF_INET, AF_INET6}) {
    std::vector<Flow> flows = SampleFlows(rule, family);
    if (flows.empty()) continue;
    flows.front().mark = rule.mark->AppliedTo(flows.front().mark);
    const Selection selection = Select(snapshot, flows.front());
    if (selection.exact() && !selection.outcome.source.IsUnspecified())
      AddOnce(sources, selection.outcome.source.ToString());
  }
  return sources;
}

FirewallReport::Rule RuleOf(const PolicyRule &rule, bool left, const State &state,
                            const Snapshot &snapshot) {
  const char *socket = left ? "left" : rule.apply == Apply::kMark ? "marked" : "bound";
  return {rule.name, rule.mark->ToString(), socket, TablesOf(state, rule.mark->AppliedTo(0)),
          SourcesOf(rule, snapshot)};
}

std::string OrDash(const std::vector<std::string> &words) {
  return words.empty() ? "-" : absl::StrJoin(words, ",");
}

std::string Table(const std::vector<FirewallReport::Rule> &rules) {
  std::size_t width = 4;
  for (const auto &rule : rules) width = std::max(width, rule.name.size());
  std::string text;
  const auto line = [&](const std::string &name, const std::string &mark, const std::string &socket,
                        const std::string &tables, const std::string &sources) {
    absl::StrAppendFormat(&text, "%-*s  %-11s %-7s %-11s %s\n", static_cast<int>(width), name, mark,
                          socket, tables, sources);
  };
  line("RULE", "MARK", "SOCKET", "TABLE", "SOURCE");
  for (const auto &rule : rules)
    line(rule.name, rule.mark, rule.socket, OrDash(rule.tables), OrDash(rule.sources));
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
std::vector<std::string> BeyondCreation(const std::vector<PolicyRule> &rules) {
  std::vector<std::string> names;
  bool asked = false;
  for (const PolicyRule &rule : rules) {
    if (!IsForPing(rule)) continue;
    asked |= AsksForDestination(rule) || rule.plain_tos;
    if (rule.mark && (asked || rule.apply == Apply::kBind)) AddOnce(names, rule.name);
  }
  return names;
}

std::string List(const char *title, const std::vector<std::string> &lines) {
  if (lines.empty()) return "";
  return absl::StrCat(title, "\n  ", absl::StrJoin(lines, "\n  "), "\n");
}

}  // namespace

FirewallReport ReportOf(const HostMarks &marks, const State &state) {
  FirewallReport report;
  const auto snapshot = Snapshot::Make(state, 1);
  Examined here;
  if (!snapshot.ok() || !AddMarks(marks.policy(), state, here).ok()) here = {};
  const std::vector<PolicyRule> &resolved = here.resolved.rules;
  for (std::size_t i = 0; i < resolved.size(); ++i)
    if (const PolicyRule &rule = here.written.rules[i]; rule.mark)
      AddOnce(report.rules, RuleOf(rule, resolved[i].leave, state, **snapshot));
  report.limits = marks.Limits();
  report.too_late = BeyondCreation(resolved);
  // What is left to the kernel may be in need of it.
  if (report.rules.empty() || !report.limits.empty()) return report;
  const SourceNats nats = SortSourceNats(marks.firewall());
  report.needless = NamesOf(nats.needless);
  report.forwarding = NamesOf(nats.forwarding);
  return report;
}

std::string ToText(const FirewallReport &report) {
  return absl::StrCat(report.rules.empty() ? "" : Table(report.rules),
                      List("not known, and left to the kernel:", report.limits),
                      List("come too late for ping and raw sockets that do not connect (for ping, "
                           "srcsel run --via preload helps):",
                           report.too_late),
                      List("needless now, yours to remove:", report.needless),
                      List("needless now for what this host sends, needed for what it forwards:",
                           report.forwarding));
}

Json ToJson(const FirewallReport &report) {
  Json rules = Json::array();
  for (const FirewallReport::Rule &rule : report.rules)
    rules.push_back({{"rule", rule.name},
                     {"mark", rule.mark},
                     {"socket", rule.socket},
                     {"tables", rule.tables},
                     {"sources", rule.sources}});
  return {{"rules", std::move(rules)},
          {"limits", report.limits},
          {"too_late", report.too_late},
          {"needless", report.needless},
          {"forwarding", report.forwarding}};
}

}  // namespace srcsel
