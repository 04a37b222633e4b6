// A laboratory as a value: hosts, the wires between them, and what is typed on each host.
//
// Lines are iproute2's own, without the leading "ip", so that a description reads like the commands
// of somebody who has the problem. Values only; Lab::Build() makes it real.

#pragma once

#include <string>
#include <vector>

namespace srcsel::lab {

// One end of a wire. Addresses of both families: "10.0.0.1/24", "fd00::1/64".
struct End {
  std::string host, interface;
  std::vector<std::string> addresses = {};
};

// A veth pair. Its ends also get link-local addresses, fe80::1:a and fe80::1:b on the first wire.
struct Wire {
  End a, b;
};

struct HostPlan {
  std::string name;
  std::vector<std::string> addresses = {};  // of lo, such as "192.0.2.80/32"
  std::vector<std::string> sysctls = {};    // "net.ipv4.ip_forward=1"
  std::vector<std::string> ip = {};         // lines for `ip -4`, after the interfaces are up
  std::vector<std::string> ip6 = {};        // lines for `ip -6`
  std::string nft = {};                     // a rule set
};

struct Description {
  std::vector<HostPlan> hosts;
  std::vector<Wire> wires = {};
};

}  // namespace srcsel::lab
