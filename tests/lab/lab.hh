// Hosts joined by wires, made from a description and gone with this object.
//
// Every host is an anonymous network namespace, so two labs of the same description never meet, and
// teardown is the closing of descriptors: it happens on every exit, SIGKILL included. Nothing
// outside of the lab's namespaces is changed.
//
// Build() returns when the lab is ready: interfaces carry traffic, the addresses of ends and hosts
// receive, and in this order sysctls, addresses, lines and rule sets are in force.
//
// Cost: one process for all wires, and up to three per host; 60 ms for the four hosts of the first
// scenario. Errors name the host and the line that failed. Labs may be built on several threads.

#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lab/description.hh"
#include "lab/host.hh"

namespace srcsel::lab {

class Lab {
 public:
  static absl::StatusOr<Lab> Build(const Description &description);

  // Throws std::out_of_range if the description has no such host. The reference is valid while the
  // lab, or the one it was moved to, lives.
  Host &host(absl::string_view name) { return hosts_.at(std::string(name)); }
  const Host &host(absl::string_view name) const { return hosts_.at(std::string(name)); }

 private:
  std::map<std::string, Host> hosts_;
};

}  // namespace srcsel::lab
