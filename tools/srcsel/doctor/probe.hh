// Whether the hooks do on this kernel what they are for: tried, with real sockets.
//
// In a child process, in a cgroup and a network namespace that both go with it: addresses and
// routes of documentation prefixes on lo, all hooks loaded and attached as `srcsel run` does it, a
// listener, and for each hook a socket whose source or mark shows whether it ran. Nothing else on
// the host is touched, and no packet leaves.
//
// What `srcsel up` has attached to a cgroup above leaves alone what these hooks have decided, as it
// does below `srcsel run`. That of another version may not: then nothing is tried.
//
// Cost: 0.2 s. The calling process must be single-threaded. Needs what `srcsel run` needs.

#pragma once

#include <string>
#include <vector>

#include "agent/up_status.hh"

namespace srcsel {

struct Probe {
  std::string hook;     // "connect4"
  std::string does;     // "binds TCP connections to the source"
  std::string trouble;  // what happened instead; empty: it does
};

struct ProbeReport {
  std::vector<Probe> probes;
  bool below_up = false;  // whether hooks of `srcsel up` were above
  std::string untried;    // why there are none, though nothing is wrong
  std::string trouble;    // why there are none, or not all
};

// `up`: what is up, if anything is.
ProbeReport ProbeHooks(const UpStatus *up);

}  // namespace srcsel
