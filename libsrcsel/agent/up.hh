// Brings hooks up on a cgroup that was there before, so that they stay: what `srcsel up` does until
// it goes into the background.
//
// Contract: with an error, of the policy or of anything else, nothing on the host is changed; where
// hooks of a process that is gone are still attached, they go on. Such hooks are taken over: what
// they remember and count stays, programs are exchanged one by one, and at no moment is there none.
// If they are of another version, what they remember is lost, so all sockets count as older.
//
// The calling process must be single-threaded and in the network namespace to be mirrored.

#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/hook_mirror.hh"
#include "agent/host_marks.hh"
#include "agent/up_paths.hh"
#include "agent/up_policy.hh"
#include "agent/up_state.hh"
#include "base/fd.hh"
#include "hooks/hooks.hh"
#include "hooks/pins.hh"
#include "policy/policy.hh"

namespace srcsel {

struct UpRequest {
  UpPolicy policy;
  std::string cgroup = "/";  // from the root of the hierarchy, or a directory of it
  bool steer = false;        // add the ip rules that sources want
  std::string netns = {};    // its name, as one says it again; the caller has gone there
  std::optional<std::chrono::seconds> trial = {};  // in which somebody must confirm
  UpPaths paths = UpPaths::Get();
};

// What is up, and how it is kept so.
struct Up {
  UpPaths paths;
  Fd run, lock;
  UpPolicy source;
  Policy from_file;
  Policy policy;  // all, as written
  HookMirror mirror;
  HostMarks marks;
  Hooks hooks;
  UpState state = {};      // without the process, which is yet to be
  bool took_over = false;  // hooks of another process
};

struct UpPlan {
  Examined examined;  // of the file
  HookMirror mirror;
  HostMarks marks;
  std::vector<std::string> changes = {};  // of hooks that are to be taken over (take_over.hh)
};
// What an `up` would do; changes nothing.
absl::StatusOr<UpPlan> PlanUp(const UpRequest &request);

// Carries it out; the plan must be free of errors. kAlreadyExists: something is up.
absl::StatusOr<std::unique_ptr<Up>> BringUp(const UpRequest &request, UpPlan plan);

// Detaches the hooks and removes all, last the lock, which the caller holds: the hooks also where
// they are pinned out of sight of the caller (up_pins.hh), ip rules that steer in the namespace
// they were added in. With an error, the state is kept, so that it can be said again; but for
// kNotFound: all is removed then but ip rules in a namespace that is not found.
absl::Status TakeDown(const UpPaths &paths, const Fd &run);

}  // namespace srcsel
