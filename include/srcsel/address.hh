// IP addresses and prefixes as values.
//
// Bytes are in network order; an IPv4 address uses the first four of its sixteen bytes and leaves
// the rest 0, so that equality and order are those of the bytes. All operations are pure and
// constant time; nothing here allocates except ToString().

#pragma once

#include <netinet/in.h>

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace srcsel {

class IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  // The unspecified IPv4 address.
  IpAddress() = default;

  // family is AF_INET or AF_INET6; `bytes` points at 4 or 16 bytes in network order.
  static IpAddress FromBytes(int family, const void *bytes) {
    IpAddress a = Any(family);
    if (a.is_v4())
      std::memcpy(a.bytes_.data(), bytes, 4);
    else
      std::memcpy(a.bytes_.data(), bytes, 16);
    return a;
  }
  static IpAddress Any(int family) {
    IpAddress a;
    a.family_ = family;
    return a;
  }
  static IpAddress Loopback(int family);  // 127.0.0.1 or ::1

  // "10.0.0.1" or "fd00::1"; no prefix length, no scope id, no host names.
  static absl::StatusOr<IpAddress> Parse(absl::string_view text);

  int family() const { return family_; }
  bool is_v4() const { return family_ == AF_INET; }
  int bits() const { return is_v4() ? 32 : 128; }
  std::size_t size() const { return is_v4() ? 4 : 16; }
  const Bytes &bytes() const { return bytes_; }

  bool IsUnspecified() const { return words() == Words{}; }
  bool IsLoopback() const;
  bool IsLinkLocal() const;
  bool IsMulticast() const { return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff; }
  bool IsV4Mapped() const {  // ::ffff:a.b.c.d
    constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return !is_v4() && std::memcmp(bytes_.data(), kPrefix, sizeof(kPrefix)) == 0;
  }
  bool IsBroadcast() const {  // 255.255.255.255
    return is_v4() && (bytes_[0] & bytes_[1] & bytes_[2] & bytes_[3]) == 0xff;
  }

  std::string ToString() const;

  friend bool operator==(const IpAddress &a, const IpAddress &b) {
    return a.family_ == b.family_ && a.words() == b.words();
  }
  // By family first.
  friend std::strong_ordering operator<=>(const IpAddress &a, const IpAddress &b) {
    if (a.family_ != b.family_) return a.family_ <=> b.family_;
    return a.bytes_ <=> b.bytes_;
  }

  template <typename H>
  friend H AbslHashValue(H h, const IpAddress &a) {
    return H::combine(std::move(h), a.family_, a.bytes_);
  }

 private:
  struct Words {
    std::uint64_t first, second;
    friend bool operator==(const Words &a, const Words &b) {
      return ((a.first ^ b.first) | (a.second ^ b.second)) == 0;
    }
  };
  // What a compiler compares without a call.
  Words words() const { return std::bit_cast<Words>(bytes_); }

  Bytes bytes_{};  // first, so that a copy is one load of what was one store
  int family_ = AF_INET;
};

// An address and a length, in bits of its family. Host bits are kept as given: an interface address
// is a Prefix too.
struct Prefix {
  IpAddress address;
  int length = 0;

  static Prefix Default(int family) { return {IpAddress::Any(family), 0}; }
  // "10.0.0.0/8", "fd00::/8", or an address alone for a host prefix.
  static absl::StatusOr<Prefix> Parse(absl::string_view text);

  // The same prefix with its host bits cleared.
  Prefix Network() const;
  bool Contains(const IpAddress &a) const;
  std::string ToString() const;

  friend bool operator==(const Prefix &, const Prefix &) = default;
  friend std::strong_ordering operator<=>(const Prefix &, const Prefix &) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Prefix &p) {
    return H::combine(std::move(h), p.address, p.length);
  }
};

}  // namespace srcsel
