// One host of a lab: a network namespace with a name, and the commands one would type on it.
//
// Every change is made by the real tool (ip, nft), so a lab is described in the words of its users.
// Errors name the host, the line that failed and what the tool said about it.
//
// Cost: one process per call, however many lines it has. A Host is used by one thread at a time; a
// Process spawned on it belongs to that thread.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lab/capture.hh"
#include "lab/conntrack.hh"
#include "lab/netns.hh"
#include "lab/process.hh"

namespace srcsel::lab {

class Host {
 public:
  static absl::StatusOr<Host> Create(std::string name);

  const std::string &name() const { return name_; }
  const Netns &netns() const { return netns_; }

  // A status that says on which host it happened.
  absl::Status Annotate(const absl::Status &status) const;

  // The command in this host's namespace.
  absl::StatusOr<Result> Run(Command command, Deadline deadline = kPatience) const;
  absl::StatusOr<Process> Spawn(Command command) const;

  // Runs words separated by spaces, and fails unless the exit status is 0. Returns stdout.
  absl::StatusOr<std::string> Do(absl::string_view words) const;

  // One line of iproute2, without the "ip": "route add default via 10.0.0.254", "-6 rule show".
  absl::StatusOr<std::string> Ip(absl::string_view words) const;

  // Many lines in one process; `family` is "-4" or "-6". Stops at the first that fails.
  absl::Status IpBatch(absl::string_view family, const std::vector<std::string> &lines) const;

  // Loads a rule set as `nft -f` takes it.
  absl::Status Nft(absl::string_view ruleset) const;

  // "net.ipv4.ip_forward", with dots; an interface named with dots is not supported.
  absl::Status SetSysctl(absl::string_view name, absl::string_view value) const;
  absl::StatusOr<std::string> Sysctl(absl::string_view name) const;

  absl::StatusOr<std::vector<ConntrackEntry>> ConntrackEntries() const;

  absl::StatusOr<Capture> StartCapture(const std::string &interface) const;

 private:
  Host(std::string name, Netns netns) : name_(std::move(name)), netns_(std::move(netns)) {}
  absl::StatusOr<std::string> RunOk(Command command) const;

  std::string name_;
  Netns netns_;
};

}  // namespace srcsel::lab
