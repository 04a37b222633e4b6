#include "lab/endpoint.hh"

#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel::lab {

absl::StatusOr<Endpoint> Endpoint::Parse(absl::string_view address, absl::string_view port) {
  SRCSEL_ASSIGN_OR_RETURN(const IpAddress parsed, IpAddress::Parse(address));
  unsigned number = 0;
  if (!absl::SimpleAtoi(port, &number) || number > std::numeric_limits<std::uint16_t>::max())
    return absl::InvalidArgumentError(absl::StrCat("'", port, "' is not a port"));
  return Endpoint{parsed, static_cast<std::uint16_t>(number)};
}

std::string Endpoint::ToString() const {
  const std::string text = address.ToString();
  return address.is_v4() ? absl::StrCat(text, ":", port) : absl::StrCat("[", text, "]:", port);
}

}  // namespace srcsel::lab
