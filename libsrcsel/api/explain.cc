#include "api/explain.hh"

#include <linux/rtnetlink.h>

#include <chrono>
#include <cstring>
#include <iterator>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace srcsel::api {
namespace {

using Json = nlohmann::ordered_json;

const char *TypeWord(std::uint8_t type) {
  static constexpr const char *kWords[] = {"none",     "unicast",   "local",     "broadcast",
                                           "anycast",  "multicast", "blackhole", "unreachable",
                                           "prohibit", "throw",     "nat",       "xresolve"};
  return type < std::size(kWords) ? kWords[type] : "?";
}

std::string Device(const Mirror &mirror, std::uint32_t oif) {
  return mirror.LinkName(oif).value_or(absl::StrCat("interface ", oif));
}

std::string Plain(absl::string_view text) {
  return std::string(text);
}

std::string Way(const Mirror &mirror, const Outcome &outcome) {
  if (outcome.error != 0) return absl::StrCat("refused, ", strerrorname_np(outcome.error));
  std::string text =
      absl::StrCat("from ", outcome.source.ToString(), " by ", Device(mirror, outcome.oif));
  if (outcome.gateway) absl::StrAppend(&text, " via ", outcome.gateway->ToString());
  return text;
}

std::string Grounds(const Outcome &outcome) {
  std::string text;
  if (outcome.rule != kNoRule) absl::StrAppend(&text, "rule ", outcome.rule, ", ");
  if (outcome.table == 0) return text + "no route";
  absl::StrAppend(&text, "table ", outcome.table);
  if (outcome.error == 0)
    absl::StrAppend(&text, ", ", TypeWord(outcome.type), " ", outcome.dst.ToString(), " metric ",
                    outcome.metric);
  if (outcome.nexthop_id != 0) absl::StrAppend(&text, " nhid ", outcome.nexthop_id);
  if (outcome.mtu != 0) absl::StrAppend(&text, " mtu ", outcome.mtu);
  return text;
}

Json OutcomeJson(const Mirror &mirror, const Outcome &outcome) {
  Json json = Json::object();
  if (outcome.error != 0) json["error"] = strerrorname_np(outcome.error);
  if (outcome.rule != kNoRule) json["rule"] = outcome.rule;
  if (outcome.table != 0) json["table"] = outcome.table;
  if (outcome.error != 0) return json;
  json["type"] = TypeWord(outcome.type);
  json["route"] = outcome.dst.ToString();
  json["metric"] = outcome.metric;
  if (outcome.gateway) json["gateway"] = outcome.gateway->ToString();
  json["dev"] = Device(mirror, outcome.oif);
  json["prefsrc"] = outcome.source.ToString();
  if (outcome.nexthop_id != 0) json["nhid"] = outcome.nexthop_id;
  if (outcome.mtu != 0) json["mtu"] = outcome.mtu;
  return json;
}

}  // namespace

std::string ExplainText(const Mirror &mirror, const Flow &flow, const Selection &selection) {
  std::string text = absl::StrCat(flow.ToString(), ": ", Way(mirror, selection.outcome), "\n  ",
                                  Grounds(selection.outcome), "\n");
  if (selection.exact()) {
    absl::StrAppend(&text, "  exact, generation ", selection.generation, "\n");
  } else {
    absl::StrAppend(&text, "  ambiguous, generation ", selection.generation, ": ",
                    AmbiguityText(selection.why), "\n");
    for (const Outcome &candidate : selection.candidates)
      absl::StrAppend(&text, "  perhaps ", Way(mirror, candidate), "; ", Grounds(candidate), "\n");
    if (!selection.complete) absl::StrAppend(&text, "  perhaps another that cannot be named\n");
  }
  const MirrorStatus status = mirror.status();
  if (!status.status.ok()) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::system_clock::now() - status.since);
    absl::StrAppend(&text, "  stale for ", age.count(), " s: ", status.status.message(), "\n");
  }
  return text;
}

std::string ExplainJson(const Mirror &mirror, const Flow &flow, const Selection &selection) {
  Json json = {{"dst", flow.destination.ToString()}, {"flow", flow.ToString()}};
  json.update(OutcomeJson(mirror, selection.outcome));
  json["exact"] = selection.exact();
  if (!selection.exact()) {
    json["why"] = Plain(AmbiguityWord(selection.why));
    json["because"] = Plain(AmbiguityText(selection.why));
    json["all_known"] = selection.complete;
    for (const Outcome &candidate : selection.candidates)
      json["candidates"].push_back(OutcomeJson(mirror, candidate));
  }
  json["generation"] = selection.generation;
  json["current"] = mirror.current();
  const MirrorStatus status = mirror.status();
  if (!status.status.ok()) {
    json["stale"] = Plain(status.status.message());
    json["since"] = std::chrono::system_clock::to_time_t(status.since);
  }
  // A device's name may be any bytes.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace srcsel::api
