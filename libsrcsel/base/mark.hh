// A firewall mark with the mask under which it is set or compared, as iproute2 writes it: V[/M].

#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace srcsel {

struct Mark {
  std::uint32_t value = 0;
  std::uint32_t mask = 0xffffffff;

  // Decimal, 0x hexadecimal or 0 octal, the mask optional. Refuses bits outside the mask.
  static absl::StatusOr<Mark> Parse(absl::string_view text);

  // The mark of a socket that had `old` once this one is set on it.
  std::uint32_t AppliedTo(std::uint32_t old) const { return (old & ~mask) | value; }

  // "0x64" or "0x64/0xff", as `ip rule` prints it.
  std::string ToString() const;

  friend bool operator==(const Mark &, const Mark &) = default;
};

}  // namespace srcsel
