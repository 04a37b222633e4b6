// The mirror against the kernel, flow by flow.
//
// Each flow is looked up in a snapshot and asked of the kernel (RTM_GETROUTE); of some, what a
// connect() does is worked out too and asked of a real UDP socket, which sends no packet. Since the
// state may change between reading it and asking, flows that disagree are asked again over a new
// snapshot; what still disagrees after kRounds of that, does.
//
// Contract: about the calling thread's namespace. Cost: some 5 us a flow, and a reading of the
// state a round. Errors: those of reading the state and of asking.

#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "lookup/select.hh"
#include "lookup/snapshot.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

struct Disagreement {
  Flow flow;
  bool connected = false;  // a connect() disagrees, not a lookup
  Selection ours;
  Outcome kernel;  // if connected, only error and source
};

struct Verification {
  std::uint64_t flows = 0;      // the sum of the three
  std::uint64_t agree = 0;      // exact, and as the kernel has it
  std::uint64_t ambiguous = 0;  // with the kernel's answer among the candidates
  std::uint64_t disagree = 0;
  std::uint64_t connected = 0;              // flows that were also connected
  std::vector<Disagreement> examples = {};  // the first kExamples
};

struct VerifyOptions {
  std::uint64_t flows = 10'000;
  std::uint64_t seed = 0;
  bool connect = true;  // not where a policy decides what this process connects
};

inline constexpr int kRounds = 3;
inline constexpr std::size_t kExamples = 20;
inline constexpr std::uint64_t kConnectEach = 8;  // if any are, one flow in so many

// Reads the state anew.
using ReadSnapshot = absl::FunctionRef<absl::StatusOr<std::unique_ptr<const Snapshot>>()>;
// Hears how many flows of the first round are done.
using Progress = absl::FunctionRef<void(std::uint64_t)>;

absl::StatusOr<Verification> Verify(const VerifyOptions &options, ReadSnapshot read,
                                    Progress progress);

}  // namespace srcsel
