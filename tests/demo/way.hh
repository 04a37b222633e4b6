// The ways to cross the lab of two uplinks, and what must come of each. Values only.

#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "absl/strings/string_view.h"
#include <srcsel/address.hh>

namespace srcsel::demo {

enum class Uplink { kTelecom, kUnicom };

std::string NameOf(Uplink uplink);

// One family of the lab.
struct Family {
  const char *name, *server, *telecom, *unicom;

  IpAddress Server() const;
  // The client's address in the provider's network.
  IpAddress Source(Uplink uplink) const;
  std::string Url() const;
};

enum class Outcome { kAnswered, kTimedOut, kFailed };

struct Expected {
  Outcome outcome;
  Uplink uplink;        // by which the SYN leaves
  Uplink source;        // whose address it carries on the wire
  Uplink told;          // whose address getsockname() gives, if there is an answer
  std::size_t tracked;  // conntrack entries on the client
};

struct Way {
  const char *name;
  bool marked, masqueraded, selected;  // by iptables, by iptables, by srcsel run
  Expected expected;
};

std::span<const Family> Families();
std::span<const Way> Ways();

}  // namespace srcsel::demo
