// An address with a port.

#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include <srcsel/address.hh>

namespace srcsel::lab {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  static absl::StatusOr<Endpoint> Parse(absl::string_view address, absl::string_view port);

  // "10.0.0.1:80", "[fd00::1]:80"
  std::string ToString() const;

  friend bool operator==(const Endpoint &, const Endpoint &) = default;
  friend std::strong_ordering operator<=>(const Endpoint &, const Endpoint &) = default;
};

}  // namespace srcsel::lab
