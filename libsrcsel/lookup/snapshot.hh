// One state of a network namespace, compiled for lookups in user space.
//
// Immutable once made: any number of threads may look things up in it. Not movable, since answers
// point into it while they are worked out. Cost: that of CompileForLookup() and of Shortcuts.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "image/compile.hh"
#include "lookup/shortcuts.hh"
#include "state/state.hh"
#include <srcsel/address.hh>

namespace srcsel {

class Snapshot {
 public:
  static absl::StatusOr<std::unique_ptr<const Snapshot>> Make(State state,
                                                              std::uint64_t generation);
  Snapshot(const Snapshot &) = delete;
  Snapshot &operator=(const Snapshot &) = delete;

  const State &state() const { return state_; }
  std::uint64_t generation() const { return head().generation; }

  // ---- for lookups ----
  srcsel_image image() const { return &memory_; }
  const srcsel_header &head() const { return compiled_.image.header(); }
  const RouteDetails &details() const { return compiled_.details; }
  // Of an srcsel_family, as the engine numbers them.
  std::span<const srcsel_rule> Rules(int family) const {
    return compiled_.image.Section<srcsel_rule>(head().rules[family]);
  }
  // Null if there is no such link.
  const Link *FindLink(std::uint32_t index) const;
  // Whether the IPv4 tables local and main may be one.
  bool may_be_merged() const { return may_be_merged_; }
  // And whether local then has what ends the search in main too: a throw, or a nexthop object.
  bool local_may_end_main() const { return local_may_end_main_; }
  // The interface that bears the IPv4 address, 0 if none does.
  std::uint32_t OwnerOf(const IpAddress &address) const;
  // Whether a rule of the family selects by that: if none does, later lookups of a connect() end as
  // the first one.
  bool RulesUseSource(int family) const { return uses_source_[family == AF_INET6]; }
  // One source port of the ephemeral range for each set of ports that the rules of the family treat
  // alike; empty if none selects by port.
  const std::vector<std::uint16_t> &PortClasses(int family) const {
    return ports_[family == AF_INET6];
  }

 private:
  Snapshot(State state, LookupImage compiled);

  const State state_;
  const LookupImage compiled_;
  const Shortcuts shortcuts_;
  const srcsel_memory memory_;
  absl::flat_hash_map<std::uint32_t, const Link *> links_;
  absl::flat_hash_map<std::uint64_t, std::uint32_t> owners_;  // by srcsel_key.hi
  bool may_be_merged_ = false, local_may_end_main_ = false;
  bool uses_source_[2] = {};
  std::vector<std::uint16_t> ports_[2];
};

}  // namespace srcsel
