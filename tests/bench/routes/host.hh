// A host with a drawn table: a network namespace with one uplink, the routes in main, and ten rules
// of which the last leads there; and the mirror's snapshot of it.
//
// Cost: the kernel takes 5 us a route.

#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/routes/draw_table.hh"
#include "lab/host.hh"
#include "lookup/snapshot.hh"

namespace srcsel::bench {

class Host {
 public:
  static absl::StatusOr<std::unique_ptr<Host>> Make(const Shape &shape, std::size_t routes);

  const std::vector<DrawnRoute> &table() const { return table_; }
  // A power of two of them.
  const std::vector<IpAddress> &addresses() const { return addresses_; }
  const Snapshot &snapshot() const { return *snapshot_; }
  const Fd &netns() const { return host_.netns().fd(); }
  std::string netns_path() const { return host_.netns().Path(); }
  // Runs `ip` there.
  absl::Status Ip(absl::string_view words) const { return host_.Ip(words).status(); }

  // All state, read anew, and made ready for lookups.
  absl::StatusOr<State> Read() const;

 private:
  Host(lab::Host host, std::vector<DrawnRoute> table);

  lab::Host host_;
  const std::vector<DrawnRoute> table_;
  const std::vector<IpAddress> addresses_;
  std::unique_ptr<const Snapshot> snapshot_;
};

// Replaces the default route of one of the ten rules' tables by one of another source.
class DefaultRouteChanger {
 public:
  static absl::StatusOr<DefaultRouteChanger> Open(const Host &host, std::uint32_t table);

  // Returns when the kernel has done so.
  absl::Status ReplaceWith(const IpAddress &source) const;

 private:
  DefaultRouteChanger(Fd socket, std::uint32_t oif, std::uint32_t table)
      : socket_(std::move(socket)), oif_(oif), table_(table) {}

  Fd socket_;
  std::uint32_t oif_, table_;
};

}  // namespace srcsel::bench
