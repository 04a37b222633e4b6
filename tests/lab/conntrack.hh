// Entries of a connection-tracking table, as conntrack(8) lists them.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "lab/endpoint.hh"

namespace srcsel::lab {

struct ConntrackEntry {
  std::string protocol;  // "tcp", "udp"
  Endpoint from, to;     // the original direction
  Endpoint reply_to;     // where replies are expected to arrive: the translated source
};

// Entries without ports (ICMP) are left out.
absl::StatusOr<std::vector<ConntrackEntry>> ParseConntrack(absl::string_view listing);

}  // namespace srcsel::lab
