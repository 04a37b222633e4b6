// The policy that holds for a flow, as an image to decide by: of a file, or what `up` has in force.
//
// Contract: changes nothing. Cost: that of reading and compiling; of an `up`, one file is read.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "image/image.hh"
#include "policy/finding.hh"
#include "policy/policy.hh"
#include "state/state.hh"
#include <srcsel/abi.h>
#include <srcsel/flow.hh>

namespace srcsel {

// Who opens the socket, as far as policies ask for it.
struct Caller {
  std::uint32_t gid = 0;
  std::optional<std::uint32_t> classid = 0;  // of net_cls; nothing: unknown
  std::string comm;
  std::string cgroup = "/";  // from the root of the hierarchy
};

struct PolicyInForce {
  std::string file = {};    // empty: the marks of the host's firewall
  std::string cgroup = {};  // that `up` is attached to; empty: of a file, nothing is
  std::optional<Image> image = {};
  std::vector<std::string> names = {};            // of its rules, by srcsel_policy.id
  std::vector<std::vector<Source>> sources = {};  // of these or of their pools, by the same
  std::uint64_t netns = 0;                        // cookie of the namespace it is for
  std::string netns_name = {};                    // as --netns had it; empty: that of who said up

  bool is_up() const { return !cgroup.empty(); }
  // The name of rule number `index` of the image.
  std::string RuleName(std::uint32_t index) const;
  // Why rule number `index` has no source of that family, on a host in that state: of each source
  // that it names, or that it names none.
  std::vector<std::string> LacksOf(std::uint32_t index, int family, const State &state) const;
};

// The file's policy on a host in that state. Its findings go to `findings`; with an error among
// them there is no image.
absl::StatusOr<PolicyInForce> PolicyOfFile(const std::string &file, const State &state,
                                           Findings &findings);

// kNotFound: nothing is up.
absl::StatusOr<PolicyInForce> PolicyOfUp(const UpPaths &paths);

// The question to the engine: a connect() of that caller, in namespace `netns`.
srcsel_flow PolicyFlow(const Image &image, const Flow &flow, const Caller &caller,
                       std::uint64_t netns);

}  // namespace srcsel
