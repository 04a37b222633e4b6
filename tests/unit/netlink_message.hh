// Netlink messages built by hand, byte by byte, for the decoders' tests.

#pragma once

#include <arpa/inet.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include <srcsel/address.hh>

namespace srcsel {

using Bytes = std::vector<std::uint8_t>;

// A run of attributes, each padded to four bytes.
class AttributeBytes {
 public:
  AttributeBytes &PutBytes(int type, const void *data, std::size_t size) {
    const nlattr header{static_cast<std::uint16_t>(NLA_HDRLEN + size),
                        static_cast<std::uint16_t>(type)};
    Append(&header, sizeof(header));
    Append(data, size);
    bytes_.resize(NLA_ALIGN(bytes_.size()));
    return *this;
  }
  template <typename T>
  AttributeBytes &Put(int type, T value) {
    return PutBytes(type, &value, sizeof(value));
  }
  AttributeBytes &PutText(int type, const char *text) {
    return PutBytes(type, text, std::strlen(text) + 1);
  }
  AttributeBytes &PutAddress(int type, const char *text) {
    const IpAddress address = *IpAddress::Parse(text);
    return PutBytes(type, address.bytes().data(), address.size());
  }
  AttributeBytes &PutNested(int type, const AttributeBytes &inner) {
    return PutBytes(type, inner.bytes_.data(), inner.bytes_.size());
  }
  // Anything else that stands before the next attribute, as struct rtnexthop does.
  template <typename T>
  AttributeBytes &PutRaw(const T &value) {
    Append(&value, sizeof(value));
    return *this;
  }
  AttributeBytes &PutAll(const AttributeBytes &other) {
    Append(other.bytes_.data(), other.bytes_.size());
    return *this;
  }

  const Bytes &bytes() const { return bytes_; }

 private:
  void Append(const void *data, std::size_t size) {
    const auto *from = static_cast<const std::uint8_t *>(data);
    bytes_.insert(bytes_.end(), from, from + size);
  }

  Bytes bytes_;
};

// One whole message: netlink header, family header, attributes.
class Message {
 public:
  template <typename Header>
  Message(int type, const Header &header, const AttributeBytes &attributes)
      : bytes_(NLMSG_SPACE(sizeof(Header)) + attributes.bytes().size()) {
    std::memcpy(bytes_.data() + NLMSG_HDRLEN, &header, sizeof(Header));
    std::copy(attributes.bytes().begin(), attributes.bytes().end(),
              bytes_.begin() + NLMSG_SPACE(sizeof(Header)));
    nlmsghdr own{};
    own.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    own.nlmsg_type = static_cast<std::uint16_t>(type);
    std::memcpy(bytes_.data(), &own, sizeof(own));
  }

  const nlmsghdr &get() const { return *reinterpret_cast<const nlmsghdr *>(bytes_.data()); }
  nlmsghdr &get() { return *reinterpret_cast<nlmsghdr *>(bytes_.data()); }
  const Bytes &bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace srcsel
