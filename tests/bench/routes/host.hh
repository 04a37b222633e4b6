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

  // All state, read anew, and made ready for lookups.
  absl::StatusOr<State> Read() const;

 private:
  Host(lab::Host host, std::vector<DrawnRoute> table);

  lab::Host host_;
  const std::vector<DrawnRoute> table_;
  const std::vector<IpAddress> addresses_;
  std::unique_ptr<const Snapshot> snapshot_;
};

}  // namespace srcsel::bench
