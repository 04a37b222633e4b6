// The ways to find out where an address leads, all asked alike.

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "bench/routes/size.hh"
#include <srcsel/address.hh>

namespace srcsel::bench {

// The number of the gateway; kHops if there is none.
using Answer = std::function<std::uint64_t(const IpAddress &)>;

struct Way {
  const char *name;
  std::function<Answer(const Size &)> make;
};

// Ours first.
std::vector<Way> Ways();

// All ways must give the same answers before any is timed; ends the program otherwise.
void CheckAgreement(const Size &size);

}  // namespace srcsel::bench
