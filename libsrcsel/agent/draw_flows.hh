// Flows at random, drawn around what a namespace has: its prefixes and their edges, its own
// addresses and gateways, and the marks, uids, ports and DS fields that its rules select by, or
// nearly so.
//
// Only flows that the kernel can be asked about (netlink/ask_route.hh). The same state and seed
// give the same flows. Cost: constant a flow.

#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "state/state.hh"
#include <srcsel/flow.hh>

namespace srcsel {

class FlowDrawer {
 public:
  // `state` must outlive it.
  FlowDrawer(const State &state, std::uint64_t seed);

  Flow Next();

 private:
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }
  bool Once(unsigned times) { return Below(times) == 0; }
  template <typename T>
  const T &OneOf(const std::vector<T> &all) {
    return all[Below(all.size())];
  }
  IpAddress Anywhere(int family);
  IpAddress In(const Prefix &prefix);
  IpAddress Destination();

  const State &state_;
  std::mt19937_64 random_;
  std::vector<Prefix> around_;  // prefixes of rules, own addresses, gateways and special addresses
  std::vector<std::uint32_t> marks_ = {0}, uids_ = {0};
  std::vector<std::uint16_t> ports_ = {0, 53, 80, 443};
  std::vector<std::uint8_t> dsfields_ = {0};
  std::vector<IpAddress> own_[2];
};

}  // namespace srcsel
