// Rule sets as well-known programs write them, after their documentation: each with flows, and the
// marks that these must get.

#pragma once

#include <cstdint>
#include <vector>

namespace srcsel {

struct Example {
  const char *destination;
  std::uint8_t proto;
  std::uint16_t dport;
  std::uint32_t uid, mark;
  std::uint32_t expected;  // the mark it is routed by
  bool dropped = false;
};

struct Model {
  const char *name, *program, *rules;
  std::vector<Example> examples;
};

const std::vector<Model> &Models();

}  // namespace srcsel
