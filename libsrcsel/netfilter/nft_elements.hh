// The elements of nft's named sets and maps, as the kernel dumps them once and then announces what
// is added and removed. No change of a set, however large it is, has it read again.
//
// Contract: belongs to the network namespace of Open(). Where announcements are given to Hear(),
// and are subscribed to before anything is read, a set once read stays true; after Forget() it is
// read anew. What expires is gone at its time, without being told: the kernel announces no expiry.
// Not thread-safe. Cost: the first Of() of a set 0.3 us an element, Hear() the same for each one
// that is told of.

#pragma once

#include <linux/netlink.h>

#include <chrono>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

struct NftSetName {
  std::uint8_t family = 0;  // NFPROTO_*
  std::string table, name;
  auto operator<=>(const NftSetName &) const = default;
};

struct NftElement {
  std::string last;   // of ranges in a concatenation, the key of their ends
  std::string value;  // of a map
  std::int32_t verdict = 0;
  std::string chain;    // that the verdict leads to
  bool is_odd = false;  // stands for all that are not in the set, or has a limit of its own
  std::optional<std::chrono::steady_clock::time_point> expires = std::nullopt;
};

// By key, as its bytes are. In a set of intervals, false is where one ends and true where one
// begins, at the same key in this order.
using NftElementMap = std::map<std::pair<std::string, bool>, NftElement>;

struct NftElementSet {
  NftElementMap elements;
  bool may_be_odd = false, may_expire = false;  // some of them; false: none
};

class NftElements {
 public:
  using Clock = std::chrono::steady_clock;

  static absl::StatusOr<NftElements> Open();

  // Takes an announcement in; whether it is of a set that was asked for.
  bool Hear(const nlmsghdr &message);

  // What the set holds now; `dynamic`: packets add to it. It is valid until the next call of
  // anything.
  absl::StatusOr<const NftElementSet *> Of(const NftSetName &set, bool dynamic);

  // When the next one of those known expires.
  std::optional<Clock::time_point> NextExpiry() const;

  // What is to be read again when it is asked for: all, or the set that was announced.
  void Forget() { sets_.clear(); }
  void Forget(const nlmsghdr &announced);
  // The sets that packets add to, which is not announced. Whether there are any.
  bool ForgetDynamic();

 private:
  explicit NftElements(Fd socket) : socket_(std::move(socket)) {}
  absl::StatusOr<bool> Dump(const NftSetName &name, NftElementSet &set);

  Fd socket_;
  std::uint32_t sequence_ = 0;
  std::map<NftSetName, NftElementSet> sets_;
  std::set<NftSetName> dynamic_;
};

}  // namespace srcsel
