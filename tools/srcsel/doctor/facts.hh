// All that doctor looks at, read at one moment: plain values, so that each check is a function of
// them alone.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "agent/up_status.hh"
#include "base/mark.hh"
#include "netfilter/rule_set.hh"
#include "srcsel/doctor/probe.hh"
#include "srcsel/doctor/stray.hh"
#include "srcsel/source_nats.hh"
#include "state/state.hh"

namespace srcsel {

// The machine, whatever the network namespace.
struct HostFacts {
  std::pair<int, int> kernel;             // {6, 1}
  std::vector<std::string> missing_caps;  // "CAP_BPF": what this process may not
  bool may_pin = true;                    // it is root
  std::string lockdown;                   // "integrity"; empty: the kernel has none
  bool btf = true;
  std::optional<int> jit;         // net.core.bpf_jit_enable; nothing: it is not shown
  bool jit_elsewhere = false;     // it is shown in the network namespace of process 1 alone
  std::uint64_t memlock = ~0ULL;  // RLIMIT_MEMLOCK
  std::string bpffs;              // the directory where it belongs
  bool has_bpffs = true;
  absl::Status cgroup2;                // why there is none
  std::string cgroup2_point;           // the directory where it belongs
  std::vector<std::string> v1_in_use;  // net_cls, net_prio
  std::string release;                 // of this srcsel
};

// What `srcsel up` keeps.
struct UpFacts {
  std::optional<UpStatus> status;  // nothing: nothing is up
  std::string unread;              // why that cannot be told
  std::vector<Mark> marks;         // that its policy sets
};

// An interface as the reverse path filter sees it: the stricter of its own sysctl and that of all.
struct ReversePath {
  std::uint32_t device = 0;
  int filter = 0;  // 1: strict
  bool src_valid_mark = false;
};

// One network namespace.
struct NetworkFacts {
  std::string netns;  // as --netns had it; empty: the one this process is in
  State state;
  std::vector<Stray> strays;
  std::vector<ReversePath> reverse_paths;
  bool fwmark_accept = false;  // net.ipv4.tcp_fwmark_accept
  NfRuleSet firewall;
  SourceNats nats;
};

struct Facts {
  HostFacts host;
  UpFacts up;
  NetworkFacts network;
  ProbeReport probes;
};

}  // namespace srcsel
