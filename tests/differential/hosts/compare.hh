// One flow put to the library and to the kernel, and whether they agree.
//
// They agree if the kernel does what an exact answer says, or what one candidate of an ambiguous
// one says.

#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "differential/hosts/reading.hh"
#include "differential/oracle.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

enum class Way {
  kLookup,   // Lookup() and RTM_GETROUTE
  kConnect,  // Select() and a socket
};

struct Comparison {
  bool asked = false;  // the kernel could be asked; if not, nothing below is set
  bool agrees = false;
  Way way = Way::kLookup;
  Flow flow;  // as it was put: what RTM_GETROUTE or a socket cannot say is left out
  Selection ours;
  std::string kernel;  // in words
};

// The library's answer to a flow that is put to it in one way.
using Answerer = absl::FunctionRef<absl::StatusOr<Selection>(Way, const Flow &)>;

// In the namespace of the reading, by what it has read or by somebody else's answer. The kernel is
// asked first. Of a reading that is out of date only MTUs and sysctls are needed.
absl::StatusOr<Comparison> Compare(const Reading &reading, const RouteOracle &kernel, Way way,
                                   const Flow &flow);
absl::StatusOr<Comparison> Compare(const Reading &reading, const RouteOracle &kernel, Way way,
                                   const Flow &flow, Answerer ours);

// The flow as RTM_GETROUTE is asked about it.
Question QuestionOf(const Flow &flow);

// The answer in words, all candidates if it is ambiguous.
std::string InWords(const Selection &selection);

}  // namespace srcsel
