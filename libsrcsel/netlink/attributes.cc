#include "netlink/attributes.hh"

#include <net/if.h>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

Attributes::Bytes BytesAfter(const nlmsghdr &message, std::size_t header_size) {
  const std::size_t skip = NLMSG_SPACE(header_size);
  if (message.nlmsg_len <= skip) return {};
  return {reinterpret_cast<const std::uint8_t *>(&message) + skip, message.nlmsg_len - skip};
}

std::size_t AddressSize(int family) {
  return family == AF_INET ? 4 : 16;
}

}  // namespace

void DecodeError::Report(absl::string_view problem) {
  if (status_.ok())
    status_ = absl::InvalidArgumentError(absl::StrCat("decode ", what_, ": ", problem));
}

void RequireIpFamily(int family, DecodeError &error) {
  if (family != AF_INET && family != AF_INET6)
    error.Report(absl::StrCat("family ", family, " is neither IPv4 nor IPv6"));
}

Attributes::Attributes(const nlmsghdr &message, std::size_t header_size, DecodeError &error)
    : Attributes(BytesAfter(message, header_size), error) {}

Attributes::Attributes(Bytes bytes, DecodeError &error) : error_(error) {
  const auto *attribute = reinterpret_cast<const nlattr *>(bytes.data());
  int left = static_cast<int>(bytes.size());
  while (left > 0 && nla_ok(attribute, left)) {
    const int type = nla_type(attribute);
    if (type < kTypes) table_[type] = attribute;
    attribute = nla_next(attribute, &left);
  }
  if (left > 0) error.Report("an attribute runs over the end");
}

std::optional<IpAddress> Attributes::Address(int type, int family) const {
  if (!Has(type)) return std::nullopt;
  const Bytes payload = Payload(type);
  if (payload.size() != AddressSize(family)) return ReportSize(type), std::nullopt;
  return IpAddress::FromBytes(family, payload.data());
}

Prefix Attributes::PrefixOf(int type, int family, int length) const {
  const std::optional<IpAddress> address = Address(type, family);
  if (length > 8 * static_cast<int>(AddressSize(family)))
    error_.Report(absl::StrCat("a prefix of ", length, " bits"));
  if (length > 0 && !address)
    error_.Report(absl::StrCat("attribute ", type, " is missing though its length is ", length));
  return {address.value_or(IpAddress::Any(family)), length};
}

std::string Attributes::Name(int type) const {
  if (!Has(type)) return {};
  const Bytes payload = Payload(type);
  const auto *text = reinterpret_cast<const char *>(payload.data());
  const std::size_t length = strnlen(text, payload.size());
  if (length == 0 || length == payload.size() || length >= IFNAMSIZ) {
    error_.Report(absl::StrCat("attribute ", type, " is no interface's name"));
    return {};
  }
  return std::string(text, length);
}

absl::string_view Attributes::Text(int type) const {
  if (!Has(type)) return {};
  const Bytes payload = Payload(type);
  const auto *text = reinterpret_cast<const char *>(payload.data());
  return {text, strnlen(text, payload.size())};
}

void Attributes::ReportSize(int type) const {
  error_.Report(absl::StrCat("attribute ", type, " has ", Payload(type).size(), " bytes"));
}

}  // namespace srcsel
