#include "netfilter/follow_rules.hh"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include "absl/hash/hash.h"
#include "base/status.hh"
#include "netfilter/legacy_tables.hh"

namespace srcsel {
namespace {

// Large enough for the announcement of a set of 10,000 elements.
constexpr int kBuffer = 8 << 20;

// How often legacy tables are looked at: while there are none to be changed, and else.
constexpr std::chrono::milliseconds kSeldom{1000}, kOften{50};

// A table that changes under the look is another one the next time.
std::size_t DigestOfLegacy() {
  std::size_t digest = 0;
  for (int family : {AF_INET, AF_INET6})
    digest = absl::HashOf(digest, LegacyDigest(family).value_or(1));
  return digest;
}

}  // namespace

absl::StatusOr<RuleFollower> RuleFollower::Open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!socket) return absl::ErrnoToStatus(errno, "follow the nft rules: open a socket");
  // Where the first is not permitted, the second holds, as far as net.core.rmem_max lets it.
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kBuffer, sizeof(kBuffer)) != 0)
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &kBuffer, sizeof(kBuffer));
  sockaddr_nl group{};
  group.nl_family = AF_NETLINK;
  group.nl_groups = 1u << (NFNLGRP_NFTABLES - 1);
  if (bind(socket.get(), reinterpret_cast<sockaddr *>(&group), sizeof(group)) != 0)
    return absl::ErrnoToStatus(errno, "follow the nft rules: subscribe");
  RuleFollower follower(std::move(socket));
  follower.legacy_ = DigestOfLegacy();
  return follower;
}

// Counters and flow tables do not bear on which mark a packet gets.
void RuleFollower::Hear(const nlmsghdr &message, NftElements *elements) {
  if (message.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) return;
  switch (message.nlmsg_type & 0xff) {
    case NFT_MSG_NEWOBJ:
    case NFT_MSG_DELOBJ:
    case NFT_MSG_NEWFLOWTABLE:
    case NFT_MSG_DELFLOWTABLE:
      return;
    case NFT_MSG_NEWGEN:
      committed_ = std::max(committed_, std::exchange(heard_, NfChange::kNothing));
      return;
    case NFT_MSG_NEWSETELEM:
    case NFT_MSG_DELSETELEM:
      if (elements == nullptr)
        heard_ = NfChange::kRules;
      else if (elements->Hear(message))
        heard_ = std::max(heard_, NfChange::kElements);
      return;
    case NFT_MSG_NEWSET:
    case NFT_MSG_DELSET:
      if (elements != nullptr) elements->Forget(message);
      [[fallthrough]];
    default:
      heard_ = NfChange::kRules;
  }
}

absl::StatusOr<NfChange> RuleFollower::Drain(NftElements *elements) {
  alignas(nlmsghdr) std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      auto left = static_cast<unsigned>(size);
      for (const auto *message = reinterpret_cast<const nlmsghdr *>(buffer.data());
           NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
        Hear(*message, elements);
      continue;
    }
    if (errno == EAGAIN) return std::exchange(committed_, NfChange::kNothing);
    if (errno == ENOBUFS) {
      if (elements != nullptr) elements->Forget();
      heard_ = NfChange::kNothing;
      committed_ = NfChange::kRules;
    } else if (errno != EINTR) {
      return absl::ErrnoToStatus(errno, "follow the nft rules: receive");
    }
  }
}

bool RuleFollower::PollLegacy() {
  return std::exchange(legacy_, DigestOfLegacy()) != legacy_;
}

std::chrono::milliseconds RuleFollower::look_interval() const {
  return HasLegacyTables() ? kOften : kSeldom;
}

}  // namespace srcsel
