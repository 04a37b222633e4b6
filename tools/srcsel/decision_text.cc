#include "decision_text.hh"

#include <netinet/in.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "agent/rule_words.hh"
#include "base/mark.hh"
#include "base/printable.hh"
#include "counts.hh"

namespace srcsel {
namespace {

int FamilyOf(const srcsel_event &event) {
  return event.flow.family == SRCSEL_V4 ? AF_INET : AF_INET6;
}

const char *OperationWord(std::uint8_t operation) {
  switch (operation) {
    case SRCSEL_DATAGRAM:
      return "datagram";
    case SRCSEL_CREATE:
      return "create";
    default:
      return "connect";
  }
}

std::string CommOf(const srcsel_event &event) {
  return {event.flow.comm, strnlen(event.flow.comm, sizeof(event.flow.comm))};
}

bool Sets(const srcsel_event &event, std::uint32_t what) {
  return (event.decision.apply & what) != 0;
}

std::string MarkOf(const srcsel_event &event) {
  return Mark{event.decision.mark, event.decision.mark_mask}.ToString();
}

IpAddress SourceOf(const srcsel_event &event) {
  return IpAddress::FromBytes(FamilyOf(event), event.decision.source);
}

std::string Endpoint(const IpAddress &address, std::uint16_t port) {
  if (port == 0) return address.ToString();
  return address.is_v4() ? absl::StrCat(address.ToString(), ":", port)
                         : absl::StrCat("[", address.ToString(), "]:", port);
}

std::uint16_t PortOf(const srcsel_event &event) {
  return Sets(event, SRCSEL_APPLY_PORTS) ? event.decision.port_first : std::uint16_t{0};
}

}  // namespace

IpAddress DestinationOf(const srcsel_event &event) {
  std::uint8_t bytes[16];
  for (int i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::uint8_t>(event.flow.dst.hi >> (56 - 8 * i));
    bytes[8 + i] = static_cast<std::uint8_t>(event.flow.dst.lo >> (56 - 8 * i));
  }
  return IpAddress::FromBytes(FamilyOf(event), bytes);
}

std::string DecisionLine(const srcsel_event &event, const std::string &rule, std::int64_t boot_ns) {
  const absl::Time time = absl::FromUnixNanos(boot_ns + static_cast<std::int64_t>(event.time_ns));
  std::string line = absl::StrCat(absl::FormatTime("%H:%M:%E6S", time, absl::LocalTimeZone()), " ",
                                  Printable(CommOf(event)), " ", event.pid, " ",
                                  ProtocolName(event.flow.proto), " ");
  if (event.flow.operation == SRCSEL_CREATE)
    line += "new socket";
  else
    line += Endpoint(DestinationOf(event), event.flow.dport);
  absl::StrAppend(&line, " ", ReasonWord(event.decision.reason));
  if (Sets(event, SRCSEL_APPLY_MARK)) absl::StrAppend(&line, " mark ", MarkOf(event));
  if (Sets(event, SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    absl::StrAppend(&line, " source ", Endpoint(SourceOf(event), PortOf(event)));
  if (event.error != 0) absl::StrAppend(&line, " failed: ", std::strerror(-event.error));
  if (!rule.empty()) absl::StrAppend(&line, " by ", Printable(rule));
  return line;
}

nlohmann::ordered_json DecisionJson(const srcsel_event &event, const std::string &rule,
                                    std::int64_t boot_ns) {
  const bool created = event.flow.operation == SRCSEL_CREATE;
  nlohmann::ordered_json json = {{"time_ns", boot_ns + static_cast<std::int64_t>(event.time_ns)},
                                 {"comm", CommOf(event)},
                                 {"pid", event.pid},
                                 {"tid", event.tid},
                                 {"uid", event.flow.uid},
                                 {"cgroup", event.cgroup},
                                 {"cookie", event.socket},
                                 {"operation", OperationWord(event.flow.operation)},
                                 {"protocol", ProtocolName(event.flow.proto)},
                                 {"destination", created ? "" : DestinationOf(event).ToString()},
                                 {"dport", event.flow.dport},
                                 {"reason", std::string(ReasonWord(event.decision.reason))},
                                 {"rule", rule},
                                 {"generation", event.decision.generation},
                                 {"error", -event.error}};
  if (Sets(event, SRCSEL_APPLY_MARK)) json["mark"] = MarkOf(event);
  if (Sets(event, SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
    json["source"] = SourceOf(event).ToString();
  if (Sets(event, SRCSEL_APPLY_PORTS)) json["port"] = PortOf(event);
  return json;
}

}  // namespace srcsel
