#include <arpa/inet.h>

#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include <srcsel/address.hh>

namespace srcsel {

IpAddress IpAddress::FromBytes(int family, const void *bytes) {
  IpAddress a = Any(family);
  std::memcpy(a.bytes_.data(), bytes, a.size());
  return a;
}

IpAddress IpAddress::Any(int family) {
  IpAddress a;
  a.family_ = family;
  return a;
}

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

bool IpAddress::IsBroadcast() const {
  return *this == FromBytes(AF_INET, "\xff\xff\xff\xff");
}

bool IpAddress::IsLinkLocal() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::IsMulticast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::IsV4Mapped() const {
  constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return !is_v4() && std::memcmp(bytes_.data(), kPrefix, sizeof(kPrefix)) == 0;
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
  IpAddress::Bytes bytes = address.bytes();
  for (int i = 0; i < 16; ++i) {
    const int keep = length - 8 * i;
    if (keep < 8) bytes[i] = static_cast<std::uint8_t>(keep <= 0 ? 0 : bytes[i] & 0xff00 >> keep);
  }
  return {IpAddress::FromBytes(address.family(), bytes.data()), length};
}

bool Prefix::Contains(const IpAddress &a) const {
  return a.family() == address.family() && Prefix{a, length}.Network() == Network();
}

std::string Prefix::ToString() const {
  return absl::StrCat(address.ToString(), "/", length);
}

}  // namespace srcsel
