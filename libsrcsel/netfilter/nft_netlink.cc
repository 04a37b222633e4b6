#include "netfilter/nft_netlink.hh"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace srcsel {

std::uint8_t NftFamily(absl::string_view word) {
  return word == "ip" ? NFPROTO_IPV4 : word == "ip6" ? NFPROTO_IPV6 : NFPROTO_INET;
}

NftRequest::NftRequest(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                       std::uint32_t sequence) {
  nlmsghdr header{};
  header.nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  header.nlmsg_seq = sequence;
  const nfgenmsg about{family, NFNETLINK_V0, 0};
  message_.assign(reinterpret_cast<const char *>(&header), sizeof(header));
  message_.append(reinterpret_cast<const char *>(&about), sizeof(about));
}

void NftRequest::Put(std::uint16_t type, const std::string &text) {
  const nlattr head{static_cast<std::uint16_t>(NLA_HDRLEN + text.size() + 1), type};
  message_.append(reinterpret_cast<const char *>(&head), sizeof(head));
  message_.append(text.c_str(), text.size() + 1);
  message_.resize(NLA_ALIGN(message_.size()));
}

std::string NftRequest::Finish() && {
  const auto size = static_cast<std::uint32_t>(message_.size());
  std::memcpy(message_.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof(size));
  return std::move(message_);
}

void ForEachNftItem(Attributes::Bytes list, DecodeError &error,
                    absl::FunctionRef<void(const Attributes &)> each) {
  const auto *item = reinterpret_cast<const nlattr *>(list.data());
  int left = static_cast<int>(list.size());
  for (; left > 0 && nla_ok(item, left); item = nla_next(item, &left))
    each(Attributes(Attributes::Bytes(reinterpret_cast<const std::uint8_t *>(item) + NLA_HDRLEN,
                                      static_cast<std::size_t>(item->nla_len) - NLA_HDRLEN),
                    error));
  if (left > 0) error.Report("an item of a list runs over the end");
}

}  // namespace srcsel
