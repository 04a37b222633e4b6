// The attributes of one netlink message, read so that no length in it is believed unchecked.
//
// A decoder reads a header, then asks for attributes by number as if nothing could go wrong; what
// did go wrong is kept by a DecodeError (the first problem wins) and asked for once at the end:
//
//   DecodeError error("rule");
//   const auto header = ReadHeader<fib_rule_hdr>(message, RTM_NEWRULE, error);
//   const Attributes a(message, sizeof(header), error);
//   rule.table = a.Get<std::uint32_t>(FRA_TABLE).value_or(header.table);
//   if (!error.ok()) return error.status();
//
// Contract: the message's nlmsg_len bytes are readable, whatever they say. Attributes is a view of
// them and of the DecodeError and outlives neither. An absent attribute gives nothing. One shorter
// than what is asked for gives nothing and is an error; a longer one gives its front, for netlink's
// structures grow at their end. An attribute that runs over the end of the message is an error: a
// rule that has lost a selector must not pass for one that never had it.
//
// Cost: one pass over the attributes, no allocation unless an error is reported.

#pragma once

#include <linux/netlink.h>
#include <netlink/attr.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include <srcsel/address.hh>

namespace srcsel {

class DecodeError {
 public:
  // `what` names the message's object and must outlive this.
  explicit DecodeError(absl::string_view what) : what_(what) {}

  void Report(absl::string_view problem);
  bool ok() const { return status_.ok(); }
  const absl::Status &status() const { return status_; }

 private:
  absl::string_view what_;
  absl::Status status_;
};

// The family header of a message, which must be of the given type; zeros after an error.
template <typename Header>
Header ReadHeader(const nlmsghdr &message, int type, DecodeError &error) {
  Header header{};
  if (message.nlmsg_type != type)
    error.Report("the message is of another type");
  else if (message.nlmsg_len < NLMSG_LENGTH(sizeof(Header)))
    error.Report("the message is shorter than its header");
  else
    std::memcpy(&header, NLMSG_DATA(&message), sizeof(Header));
  return header;
}

// Reports a family that is neither AF_INET nor AF_INET6.
void RequireIpFamily(int family, DecodeError &error);

class Attributes {
 public:
  using Bytes = absl::Span<const std::uint8_t>;

  Attributes(const nlmsghdr &message, std::size_t header_size, DecodeError &error);
  Attributes(Bytes bytes, DecodeError &error);

  bool Has(int type) const { return table_[type] != nullptr; }
  // Empty if absent.
  Bytes Payload(int type) const {
    const nlattr *attribute = table_[type];
    if (attribute == nullptr) return {};
    return {reinterpret_cast<const std::uint8_t *>(attribute) + NLA_HDRLEN,
            static_cast<std::size_t>(attribute->nla_len) - NLA_HDRLEN};
  }
  Attributes Nested(int type) const { return Attributes(Payload(type), error_); }

  template <typename T>
  std::optional<T> Get(int type) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!Has(type)) return std::nullopt;
    const Bytes payload = Payload(type);
    T value;
    if (payload.size() < sizeof(T)) return ReportSize(type), std::nullopt;
    std::memcpy(&value, payload.data(), sizeof(T));
    return value;
  }

  // An address of AF_INET or AF_INET6, of exactly its family's size.
  std::optional<IpAddress> Address(int type, int family) const;
  // The address with a length from the family header; may be absent if that is 0.
  Prefix PrefixOf(int type, int family, int length) const;
  // An interface's name, terminated; empty if absent.
  std::string Name(int type) const;
  // Any other text, terminated or not; empty if absent. A view of the message.
  absl::string_view Text(int type) const;

 private:
  static constexpr int kTypes = 32;  // no attribute we read has a higher number

  void ReportSize(int type) const;

  std::array<const nlattr *, kTypes> table_{};
  DecodeError &error_;
};

}  // namespace srcsel
