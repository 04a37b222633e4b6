#include "netfilter/nft_elements.hh"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "netfilter/nft_netlink.hh"
#include "netlink/attributes.hh"

namespace srcsel {
namespace {

using Bytes = Attributes::Bytes;

// A set that changes while it is dumped is dumped again, as often, for so long.
constexpr int kAttempts = 50;
constexpr std::chrono::milliseconds kLongestDump(300);

std::string Text(Bytes bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::string ValueOf(const Attributes &attributes, int type) {
  return attributes.Has(type) ? Text(attributes.Nested(type).Payload(NFTA_DATA_VALUE)) : "";
}

// A counter of an element's own decides nothing.
bool Decides(const Attributes &element, DecodeError &error) {
  if (element.Has(NFTA_SET_ELEM_EXPRESSIONS)) return true;
  if (!element.Has(NFTA_SET_ELEM_EXPR)) return false;
  const Attributes expression(element.Payload(NFTA_SET_ELEM_EXPR), error);
  const absl::string_view name = expression.Text(NFTA_EXPR_NAME);
  return name != "counter" && name != "last";
}

struct Read {
  std::pair<std::string, bool> key;
  NftElement element;
};

Read ReadElement(const Attributes &attributes, DecodeError &error) {
  const auto flags = ntohl(attributes.Get<std::uint32_t>(NFTA_SET_ELEM_FLAGS).value_or(0));
  Read read{{ValueOf(attributes, NFTA_SET_ELEM_KEY), (flags & NFT_SET_ELEM_INTERVAL_END) == 0}, {}};
  NftElement &element = read.element;
  element.last = ValueOf(attributes, NFTA_SET_ELEM_KEY_END);
  element.is_odd = (flags & NFT_SET_ELEM_CATCHALL) != 0 || Decides(attributes, error);
  if (attributes.Has(NFTA_SET_ELEM_DATA)) {
    element.value = ValueOf(attributes, NFTA_SET_ELEM_DATA);
    const Attributes data = attributes.Nested(NFTA_SET_ELEM_DATA);
    if (data.Has(NFTA_DATA_VERDICT)) {
      const Attributes verdict = data.Nested(NFTA_DATA_VERDICT);
      element.verdict = static_cast<std::int32_t>(
          ntohl(verdict.Get<std::uint32_t>(NFTA_VERDICT_CODE).value_or(0)));
      element.chain = std::string(verdict.Text(NFTA_VERDICT_CHAIN));
    }
  }
  if (const auto left = attributes.Get<std::uint64_t>(NFTA_SET_ELEM_EXPIRATION))
    element.expires = NftElements::Clock::now() + std::chrono::milliseconds(be64toh(*left));
  return read;
}

void Insert(Read read, NftElementSet &set) {
  set.may_be_odd |= read.element.is_odd;
  set.may_expire |= read.element.expires.has_value();
  set.elements.insert_or_assign(set.elements.end(), std::move(read.key), std::move(read.element));
}

std::string Request(const NftSetName &set, std::uint32_t sequence) {
  NftRequest request(NFT_MSG_GETSETELEM, NLM_F_DUMP, set.family, sequence);
  request.Put(NFTA_SET_ELEM_LIST_TABLE, set.table);
  request.Put(NFTA_SET_ELEM_LIST_SET, set.name);
  return std::move(request).Finish();
}

// Announcements of sets and of their elements begin alike.
NftSetName NameOf(const nlmsghdr &message, const Attributes &attributes) {
  static_assert(int{NFTA_SET_TABLE} == int{NFTA_SET_ELEM_LIST_TABLE} &&
                int{NFTA_SET_NAME} == int{NFTA_SET_ELEM_LIST_SET});
  nfgenmsg family;
  std::memcpy(&family, NLMSG_DATA(&message), sizeof(family));
  return {family.nfgen_family, std::string(attributes.Text(NFTA_SET_TABLE)),
          std::string(attributes.Text(NFTA_SET_NAME))};
}

}  // namespace

absl::StatusOr<NftElements> NftElements::Open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  sockaddr_nl self{};
  self.nl_family = AF_NETLINK;
  if (!socket || bind(socket.get(), reinterpret_cast<sockaddr *>(&self), sizeof(self)) != 0)
    return absl::ErrnoToStatus(errno, "read the elements of nft's sets: open a socket");
  return NftElements(std::move(socket));
}

bool NftElements::Hear(const nlmsghdr &message) {
  if (message.nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) return false;
  DecodeError error("an element of a set");
  const Attributes list(message, sizeof(nfgenmsg), error);
  const auto set = sets_.find(NameOf(message, list));
  if (set == sets_.end()) return false;
  const bool adds = (message.nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM;
  ForEachNftItem(list.Payload(NFTA_SET_ELEM_LIST_ELEMENTS), error, [&](const Attributes &item) {
    Read read = ReadElement(item, error);
    if (adds)
      Insert(std::move(read), set->second);
    else
      set->second.elements.erase(read.key);
  });
  if (!error.ok()) sets_.erase(set);
  return true;
}

void NftElements::Forget(const nlmsghdr &announced) {
  DecodeError error("a set");
  if (announced.nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) return;
  sets_.erase(NameOf(announced, Attributes(announced, sizeof(nfgenmsg), error)));
}

bool NftElements::ForgetDynamic() {
  for (const NftSetName &set : dynamic_) sets_.erase(set);
  return !std::exchange(dynamic_, {}).empty();
}

absl::StatusOr<bool> NftElements::Dump(const NftSetName &name, NftElementSet &set) {
  const std::string request = Request(name, ++sequence_);
  if (send(socket_.get(), request.data(), request.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "send");
  alignas(nlmsghdr) std::array<char, 65536> buffer;
  bool consistent = true;
  DecodeError error("an element of a set");
  // The kernel lists some in the order of a hash: in that of their keys they lie in memory as they
  // are gone through.
  std::vector<Read> all;
  for (;;) {
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "receive");
    auto left = static_cast<unsigned>(size);
    for (auto *message = reinterpret_cast<const nlmsghdr *>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != sequence_) continue;
      consistent &= (message->nlmsg_flags & NLM_F_DUMP_INTR) == 0;
      if (message->nlmsg_type == NLMSG_DONE) {
        if (!error.ok()) return error.status();
        std::ranges::sort(all, {}, &Read::key);
        for (Read &read : all) Insert(std::move(read), set);
        return consistent;
      }
      if (message->nlmsg_type == NLMSG_ERROR) {
        nlmsgerr failed;
        std::memcpy(&failed, NLMSG_DATA(message), sizeof(failed));
        return absl::ErrnoToStatus(-failed.error, "dump");
      }
      const Attributes list(*message, sizeof(nfgenmsg), error);
      ForEachNftItem(list.Payload(NFTA_SET_ELEM_LIST_ELEMENTS), error,
                     [&](const Attributes &item) { all.push_back(ReadElement(item, error)); });
    }
  }
}

absl::StatusOr<const NftElementSet *> NftElements::Of(const NftSetName &set, bool dynamic) {
  if (dynamic) dynamic_.insert(set);
  if (const auto known = sets_.find(set); known != sets_.end()) {
    const Clock::time_point now = Clock::now();
    if (known->second.may_expire)
      std::erase_if(known->second.elements, [&](const auto &item) {
        return item.second.expires && *item.second.expires <= now;
      });
    return &known->second;
  }
  const std::string what = absl::StrCat("read nft's set ", set.table, " ", set.name);
  const Clock::time_point end = Clock::now() + kLongestDump;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    NftElementSet elements;
    const absl::StatusOr<bool> consistent = Dump(set, elements);
    if (!consistent.ok())
      return absl::Status(consistent.status().code(),
                          absl::StrCat(what, ": ", consistent.status().message()));
    if (*consistent) return &(sets_[set] = std::move(elements));
    if (Clock::now() >= end) break;
  }
  return absl::AbortedError(absl::StrCat(what, ": it changes faster than it can be read"));
}

std::optional<NftElements::Clock::time_point> NftElements::NextExpiry() const {
  std::optional<Clock::time_point> next;
  for (const auto &[name, set] : sets_) {
    if (!set.may_expire) continue;
    for (const auto &[key, element] : set.elements)
      if (element.expires && (!next || *element.expires < *next)) next = element.expires;
  }
  return next;
}

}  // namespace srcsel
