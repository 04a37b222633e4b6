// Adds and removes ip rules by source, and lists what there is.
//
// Contract: belongs to the network namespace the calling thread was in at Open(). One thread at a
// time. Cost: a request and its answer a rule.

#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "netlink/socket.hh"
#include "state/rule.hh"

namespace srcsel {

class RuleChanger {
 public:
  static absl::StatusOr<RuleChanger> Open();

  // Of both families, in the kernel's order.
  absl::StatusOr<std::vector<Rule>> List();

  // `ip rule add pref PREF from FROM lookup TABLE protocol PROTOCOL`. One that is there already is
  // fine.
  absl::Status Add(const Rule &rule);
  // The one with the same source, table, protocol and preference. One that is gone is fine.
  absl::Status Remove(const Rule &rule);

 private:
  explicit RuleChanger(NetlinkSocket socket) : socket_(std::move(socket)) {}
  // 0, or the errno of the answer.
  absl::StatusOr<int> Send(int type, int flags, const Rule &rule);

  NetlinkSocket socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace srcsel
