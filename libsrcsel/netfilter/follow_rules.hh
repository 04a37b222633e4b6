// Says when the netfilter rules of a network namespace have changed.
//
// What nft and iptables-nft commit the kernel announces, sets' elements one by one: those are taken
// in where they are kept. The legacy tables it does not: they are compared at the times that the
// owner asks for it.
//
// Contract: Open() before the rules are read, so that no change falls between. The descriptor is
// readable while there are announcements; a lost one counts as a change. Not thread-safe. Cost: one
// read() for each burst, whatever is in it; PollLegacy() that of legacy_tables.hh.

#pragma once

#include <linux/netlink.h>

#include <chrono>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "netfilter/nft_elements.hh"

namespace srcsel {

enum class NfChange { kNothing, kElements, kRules };

class RuleFollower {
 public:
  // Of the calling thread's namespace.
  static absl::StatusOr<RuleFollower> Open();

  // To wait on with poll().
  int fd() const { return socket_.get(); }

  // Takes all announcements there are; elements, which may be null, hears of its sets. What has
  // changed since the last call that said so, as far as its commit was heard to its end. If some
  // were lost, everything has, and elements forgets all.
  absl::StatusOr<NfChange> Drain(NftElements *elements);

  // A commit is heard of in part: what elements has is neither what was before it nor after.
  bool amid_commit() const { return heard_ != NfChange::kNothing; }

  // Whether the legacy tables differ from what they were at the last call, or at Open(). In the
  // namespace that the follower was opened in.
  bool PollLegacy();
  // How long to wait between two such looks.
  std::chrono::milliseconds look_interval() const;

 private:
  explicit RuleFollower(Fd socket) : socket_(std::move(socket)) {}

  void Hear(const nlmsghdr &message, NftElements *elements);

  Fd socket_;
  NfChange heard_ = NfChange::kNothing, committed_ = NfChange::kNothing;
  std::size_t legacy_ = 0;
};

}  // namespace srcsel
