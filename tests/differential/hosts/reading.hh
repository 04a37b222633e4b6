// The state of a namespace as read last, ready for lookups, and whether it still holds.
//
// Belongs to the namespace of the thread that opens it. One thread at a time.

#pragma once

#include <map>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "lookup/snapshot.hh"
#include "netlink/follow.hh"
#include "netlink/read_state.hh"

namespace srcsel {

class Reading {
 public:
  static absl::StatusOr<Reading> Open();

  absl::Status Again();
  // False if a change was heard since Again(), which may have come before or after what the kernel
  // was asked last.
  absl::StatusOr<bool> Holds() const;

  const Snapshot &snapshot() const { return *snapshot_; }
  const State &state() const { return snapshot_->state(); }
  int MtuOf(std::uint32_t ifindex) const;

 private:
  Reading(Follower follower, StateReader reader)
      : follower_(std::move(follower)), reader_(std::move(reader)) {}
  void ReadMtus();

  Follower follower_;
  StateReader reader_;
  Gateways gateways_;
  std::unique_ptr<const Snapshot> snapshot_;
  std::map<std::uint32_t, int> mtus_;
};

}  // namespace srcsel
