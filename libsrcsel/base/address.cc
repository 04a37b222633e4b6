#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/base/internal/endian.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include <srcsel/address.hh>

namespace srcsel {

absl::StatusOr<IpAddress> IpAddress::Parse(absl::string_view text) {
  const std::string copy(text);
  std::uint8_t raw[16];
  for (int family : {AF_INET, AF_INET6})
    if (copy.find('\0') == std::string::npos && inet_pton(family, copy.c_str(), raw) == 1)
      return FromBytes(family, raw);
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is not an address (10.0.0.1 or fd00::1)"));
}

IpAddress IpAddress::Loopback(int family) {
  return FromBytes(family, family == AF_INET ? "\x7f\0\0\1" : "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1");
}

bool IpAddress::IsLoopback() const {
  return is_v4() ? bytes_[0] == 127 : *this == Loopback(AF_INET6);
}

bool IpAddress::IsLinkLocal() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(family_, bytes_.data(), text, sizeof(text));
}

absl::StatusOr<Prefix> Prefix::Parse(absl::string_view text) {
  const std::size_t slash = text.find('/');
  absl::StatusOr<IpAddress> address = IpAddress::Parse(text.substr(0, slash));
  if (!address.ok()) return address.status();
  int length = address->bits();
  if (slash != absl::string_view::npos && (!absl::SimpleAtoi(text.substr(slash + 1), &length) ||
                                           length < 0 || length > address->bits()))
    return absl::InvalidArgumentError(absl::StrCat("'", text, "' has no prefix length from 0 to ",
                                                   address->bits(), " after the slash"));
  return Prefix{*address, length};
}

Prefix Prefix::Network() const {
  const auto kept = [](int bits) {
    return absl::big_endian::FromHost64(bits >= 64 ? ~std::uint64_t{0}
                                                   : ~(~std::uint64_t{0} >> bits));
  };
  std::uint64_t words[2];
  std::memcpy(words, address.bytes().data(), sizeof(words));
  words[0] &= kept(length);
  words[1] &= kept(std::max(length - 64, 0));
  return {IpAddress::FromBytes(address.family(), words), length};
}

bool Prefix::Contains(const IpAddress &a) const {
  return a.family() == address.family() && Prefix{a, length}.Network() == Network();
}

std::string Prefix::ToString() const {
  return absl::StrCat(address.ToString(), "/", length);
}

}  // namespace srcsel
