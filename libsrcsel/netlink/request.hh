// A message to rtnetlink, put together: a header of the family, then attributes.
//
// Nothing fails and nothing is sent. Cost: one allocation.

#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include <srcsel/address.hh>

namespace srcsel {

class NetlinkRequest {
 public:
  // NLM_F_REQUEST is set besides `flags`.
  template <typename Header>
  NetlinkRequest(int type, int flags, const Header &header, std::uint32_t sequence = 0) {
    nlmsghdr message{};
    message.nlmsg_type = static_cast<std::uint16_t>(type);
    message.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    message.nlmsg_seq = sequence;
    Append(&message, sizeof(message));
    Append(&header, sizeof(header));
  }

  void Add(int type, const void *payload, std::size_t size) {
    const rtattr attribute{static_cast<std::uint16_t>(RTA_LENGTH(size)),
                           static_cast<std::uint16_t>(type)};
    Append(&attribute, sizeof(attribute));
    Append(payload, size);
  }
  template <typename T>
  void Add(int type, const T &value) {
    Add(type, &value, sizeof(value));
  }
  void Add(int type, const IpAddress &address) {
    Add(type, address.bytes().data(), address.size());
  }

  // The bytes, with their length filled in.
  const std::vector<std::uint8_t> &Finish() {
    const auto length = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &length, sizeof(length));
    return bytes_;
  }

 private:
  void Append(const void *from, std::size_t size) {
    const auto *bytes = static_cast<const std::uint8_t *>(from);
    bytes_.insert(bytes_.end(), bytes, bytes + size);
    bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  }

  std::vector<std::uint8_t> bytes_;
};

}  // namespace srcsel
