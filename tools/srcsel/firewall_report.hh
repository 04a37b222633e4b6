// What was understood of a host's firewall, for people: each rule that marks what the host sends,
// with the mark, the table it leads to and the source; then what was not, and which NAT is of no
// use any more.

#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/host_marks.hh"
#include "state/state.hh"

namespace srcsel {

struct FirewallReport {
  struct Rule {
    std::string name, mark, socket;  // socket: "marked", "bound" or "left"
    std::vector<std::string> tables, sources;

    friend bool operator==(const Rule &, const Rule &) = default;
  };
  std::vector<Rule> rules;              // each once: a rule may be several of a policy
  std::vector<std::string> limits;      // not known, and left to the kernel
  std::vector<std::string> too_late;    // rules, for pings and raw sockets that do not connect
  std::vector<std::string> needless;    // NAT that is of no use any more
  std::vector<std::string> forwarding;  // NAT that only what is forwarded needs
};

FirewallReport ReportOf(const HostMarks &marks, const State &state);

// Empty if the firewall says nothing of the kind.
std::string ToText(const FirewallReport &report);
nlohmann::ordered_json ToJson(const FirewallReport &report);

}  // namespace srcsel
