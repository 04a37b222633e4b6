// The interface that owns a source.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "state/state.hh"
#include <srcsel/address.hh>

namespace srcsel {

struct Uplink {
  IpAddress address;
  std::vector<std::uint32_t> devices;  // that bear it; empty: on lo alone, or on none

  bool Has(std::uint32_t device) const;
  // "eth1", "eth1 or eth2".
  std::string Names(const State &state) const;
};

Uplink UplinkOf(const IpAddress &address, const State &state);

// nullptr: there is none.
const Link *LinkOf(const State &state, std::uint32_t index);

// "eth1", "interface 7".
std::string DeviceName(const State &state, std::uint32_t index);
// "vtab", "100".
std::string TableName(std::uint32_t table);

}  // namespace srcsel
