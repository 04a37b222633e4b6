// How a default route by an interface is typed, in the state that the interface is in now.
//
// Its gateway is that of another default route by the interface, or the one other host for which
// its subnet has room (/30, /31); an interface without neighbours (ppp0, tun0) needs none. An
// interface that is down is set up first.
//
// Pure but for that names are read. Cost: linear in routes and addresses.

#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "state/state.hh"

namespace srcsel {

struct Commands {
  std::string typed;    // in the namespace, " && " between; empty: there is nothing to type
  std::string missing;  // what has to be known or done to type the rest; empty: nothing

  // "what is missing is the gateway behind eth1, for: ip route add ..."; empty: nothing is.
  std::string WhatIsMissing() const;
  // Both, "; " between, as they are typed from where the process began.
  std::string ToString() const;
};

// "ip link set eth1 up && ip route add default via 10.1.0.254 dev eth1 table 100", with `first`
// before and `then` behind the route. Where the gateway is not known, only what comes before these
// is to be typed.
Commands CommandsForDefault(const Link &link, const std::string &table, int family,
                            const State &state, absl::string_view first = "",
                            absl::string_view then = "");

}  // namespace srcsel
