// Rule sets as well-known programs write them, after their documentation, and their ip rules: each
// with flows, and the marks and the sources that these must get.

#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"

namespace srcsel {

struct Example {
  const char *destination;
  std::uint8_t proto;
  std::uint16_t dport;
  std::uint32_t uid, mark;
  std::uint32_t expected;  // the mark it is routed by
  const char *source;      // of the way that mark leads to
  bool dropped = false;
};

struct Model {
  const char *name, *program, *rules;
  const char *routing;  // lines of iproute2, for both families; tables are those of network.hh
  std::vector<Example> examples;
  const char *program6 = nullptr, *rules6 = nullptr;  // of IPv6, where these are a program's own
};

const std::vector<Model> &Models();

// Loads its rules and ip rules.
absl::Status Load(const Model &model);

}  // namespace srcsel
