// What the user wants, as plain values: an ordered list of rules, first match wins. Where it comes
// from (command line, file, a host's own firewall) is not known here.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/mark.hh"
#include "state/rule.hh"
#include <srcsel/address.hh>

namespace srcsel {

// "dev eth1": the address that interface has at the moment, followed as it changes.
struct DeviceSource {
  std::string name;
  friend bool operator==(const DeviceSource &, const DeviceSource &) = default;
};

using Source = std::variant<IpAddress, DeviceSource>;

enum class Apply {
  kMark,  // set the mark on the socket: the kernel routes by it and chooses the source
  kBind,  // bind the source that the tables give for the mark, leave SO_MARK alone
};

struct PolicyRule {
  // Selectors. An empty list holds for every flow, another one if any of its items does.
  std::vector<Prefix> to;
  std::vector<std::uint8_t> protos;  // IPPROTO_*
  std::vector<Range16> dports;
  std::vector<Range32> uids;           // of the caller of connect()
  std::vector<std::uint64_t> cgroups;  // cgroup v2 ids
  std::vector<std::string> comms;      // task->comm, at most 15 bytes each

  // What to do. At least one of mark and sources; kBind needs a mark and excludes sources.
  std::optional<Mark> mark;
  Apply apply = Apply::kMark;
  std::vector<Source> sources;  // at most one address per family

  friend bool operator==(const PolicyRule &, const PolicyRule &) = default;
};

struct Policy {
  std::vector<PolicyRule> rules;
};

}  // namespace srcsel
