// One way of leaving by an uplink: a lab of its own, treated in its own manner.

#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/hook_mirror.hh"
#include "bench/connect/worker.hh"
#include "hooks/hooks.hh"
#include "lab/cgroup.hh"
#include "lab/lab.hh"
#include "policy/policy.hh"

namespace srcsel::bench {

enum class Way {
  kBare,        // by the main default, nothing in the path
  kMark,        // hook: mark the socket
  kSource,      // hook: bind a fixed source, a `from` rule routes it
  kPool,        // hook: bind one of two sources, a `from` rule routes them
  kPorts,       // hook: bind a source and one of 20,000 ports, a `from` rule routes it
  kMarked,      // netfilter marks, the kernel had chosen right: what marking alone costs
  kTables,      // hook: netfilter marks, bind the source the tables give
  kMasquerade,  // netfilter marks, MASQUERADE translates
};

// "bare", "mark", "source", "pool", "ports", "marked", "tables", "masquerade"
std::string NameOf(Way way);

// Whether iptables marks and reroutes every packet on the way.
bool IsMarkedByNetfilter(Way way);

class Contender {
 public:
  // The server answers datagrams, or accepts connections and keeps them or not.
  static absl::StatusOr<Contender> Create(Way way, Acceptor::Manner manner);

  Way way() const { return way_; }
  absl::StatusOr<Round> Connect(std::uint32_t count);
  absl::Status Hold(std::uint32_t count);

  // Directory of the cgroup with the hooks; empty without.
  std::string cgroup() const { return cgroup_ ? cgroup_->path() : ""; }
  absl::StatusOr<std::size_t> ConntrackEntries() const;

 private:
  struct Hooked {
    HookMirror mirror;
    Hooks hooks;
  };

  Contender(Way way, Acceptor::Manner manner, lab::Lab lab)
      : way_(way), manner_(manner), lab_(std::make_unique<lab::Lab>(std::move(lab))) {}
  absl::Status Treat();
  absl::Status Hook(const Policy &policy);

  Way way_;
  Acceptor::Manner manner_;
  std::unique_ptr<lab::Lab> lab_;
  std::optional<lab::TestCgroup> cgroup_;
  std::optional<Hooked> hooked_;
  std::vector<Acceptor>
      acceptors_;                // one, or with kKeep several: a process has so many descriptors
  std::vector<Worker> workers_;  // as many
};

}  // namespace srcsel::bench
