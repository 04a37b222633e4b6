#include "netfilter/follow_rules.hh"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/str_split.h"
#include "base/status.hh"
#include "netfilter/legacy_tables.hh"
#include "netfilter/run_program.hh"

namespace srcsel {
namespace {

// Large enough for the announcement of a set of 10,000 elements.
constexpr int kBuffer = 8 << 20;

// What does not bear on which mark a packet gets: counters, and the end of a commit.
bool IsChange(const nlmsghdr &message) {
  if (message.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) return false;
  switch (message.nlmsg_type & 0xff) {
    case NFT_MSG_NEWGEN:
    case NFT_MSG_NEWOBJ:
    case NFT_MSG_DELOBJ:
    case NFT_MSG_NEWFLOWTABLE:
    case NFT_MSG_DELFLOWTABLE:
      return false;
    default:
      return true;
  }
}

bool AnyChange(const char *bytes, std::size_t size) {
  const auto *message = reinterpret_cast<const nlmsghdr *>(bytes);
  for (auto left = static_cast<int>(size); NLMSG_OK(message, static_cast<unsigned>(left));
       message = NLMSG_NEXT(message, left))
    if (IsChange(*message)) return true;
  return false;
}

// Lines that say how many packets there were, and when it was listed, aside.
std::size_t DigestOf(const std::string &saved) {
  std::size_t digest = 0;
  for (absl::string_view line : absl::StrSplit(saved, '\n')) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == ':') line = line.substr(0, line.find(" ["));
    digest = absl::HashOf(digest, line);
  }
  return digest;
}

std::size_t LegacyDigest() {
  std::size_t digest = 0;
  for (int family : {AF_INET, AF_INET6}) {
    const absl::StatusOr<std::vector<std::string>> tables = LegacyTables(family);
    if (!tables.ok() || tables->empty()) continue;
    const absl::StatusOr<std::string> saved =
        RunProgram({family == AF_INET ? "iptables-legacy-save" : "ip6tables-legacy-save"});
    digest = absl::HashOf(digest, saved.ok() ? DigestOf(*saved) : 1);
  }
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
  follower.legacy_ = LegacyDigest();
  return follower;
}

absl::StatusOr<bool> RuleFollower::Drain() {
  bool changed = false;
  alignas(nlmsghdr) std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (size >= 0) {
      changed |= AnyChange(buffer.data(), static_cast<std::size_t>(size));
      continue;
    }
    if (errno == EAGAIN) return changed;
    if (errno == ENOBUFS) changed = true;
    if (errno != EINTR && errno != ENOBUFS)
      return absl::ErrnoToStatus(errno, "follow the nft rules: receive");
  }
}

bool RuleFollower::PollLegacy() {
  return std::exchange(legacy_, LegacyDigest()) != legacy_;
}

}  // namespace srcsel
