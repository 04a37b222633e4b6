#include "agent/way.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/sample_flows.hh"
#include "image/compile_policy.hh"
#include "lookup/select.hh"

namespace srcsel {
namespace {

std::vector<IpAddress> AddressesOf(const Source &source, const State &state) {
  if (const auto *address = std::get_if<IpAddress>(&source)) return {*address};
  std::vector<IpAddress> lent;
  for (int family : {AF_INET, AF_INET6})
    if (const auto address = AddressOf(state, std::get<DeviceSource>(source), family))
      lent.push_back(*address);
  return lent;
}

bool IsRight(const Outcome &outcome, const Uplink &uplink) {
  if (outcome.error != 0) return outcome.error != ENETUNREACH && outcome.error != EADDRNOTAVAIL;
  return outcome.type != RTN_UNICAST || uplink.Has(outcome.oif);
}

}  // namespace

std::vector<Source> SourcesOf(const PolicyRule &rule) {
  std::vector<Source> sources = rule.sources;
  if (rule.pool == nullptr) return sources;
  for (const PoolMember &member : rule.pool->members)
    if (member.source) sources.push_back(*member.source);
  return sources;
}

std::vector<Way> WaysOf(const PolicyRule &rule, const State &state) {
  std::vector<Way> ways;
  for (const Source &source : SourcesOf(rule))
    for (const IpAddress &address : AddressesOf(source, state)) {
      Uplink uplink = UplinkOf(address, state);
      if (uplink.devices.empty()) continue;
      std::vector<Flow> flows = SampleFlows(rule, address.family());
      for (Flow &flow : flows) flow.source = address;
      ways.push_back({std::move(uplink), std::move(flows)});
    }
  return ways;
}

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

std::optional<Astray> FirstAstray(const Way &way, Mark mark, const Snapshot &snapshot) {
  for (Flow flow : way.flows) {
    flow.mark = mark.AppliedTo(flow.mark);
    const Selection selection = Lookup(snapshot, flow);
    if (!IsRight(selection.outcome, way.uplink) || !selection.complete)
      return Astray{flow.destination, selection.outcome};
    for (const Outcome &candidate : selection.candidates)
      if (!IsRight(candidate, way.uplink)) return Astray{flow.destination, candidate};
  }
  return std::nullopt;
}

std::string Describe(const Way &way, const Astray &astray, const State &state) {
  const std::string source = way.uplink.address.ToString(), to = astray.destination.ToString();
  if (astray.outcome.error != 0)
    return absl::StrCat(source, " has no route, for example to ", to, " (",
                        std::strerror(astray.outcome.error), ")");
  return absl::StrCat(source, " leaves by ", DeviceName(state, astray.outcome.oif), ", not by ",
                      way.uplink.Names(state), ", for example to ", to);
}

}  // namespace srcsel
