// Whether a crossing came out as it must, to the last port and conntrack entry.

#pragma once

#include <string>

#include "demo/crossing.hh"
#include "demo/way.hh"

namespace srcsel::demo {

// "expected ..., but ..."; empty if nothing differs.
std::string Difference(const Way &way, const Family &family, const Crossing &crossing);

}  // namespace srcsel::demo
