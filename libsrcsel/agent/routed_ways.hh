// The first ways of flows, worked out of the routes of a namespace by the library's own lookup.
//
// Between two neighbouring ends of the prefixes that anything in the state names, all destinations
// have one way: one of them is looked up. Where routes hang on more than mark and destination, or
// the kernel hides what decides, the way is unknown. Rules that srcsel itself has added are not in
// the state: `whole` says whether there are none.
//
// Cost: nothing until asked; then that of a snapshot, and 5 us a prefix for each mark asked for.
// Beyond 10,000 prefixes nothing is known. Not thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "lookup/snapshot.hh"
#include "netfilter/first_ways.hh"
#include "state/state.hh"
#include <srcsel/flow.hh>

namespace srcsel {

class RoutedWays : public FirstWays {
 public:
  // The state must outlive it.
  RoutedWays(const State &state, bool whole) : state_(state), whole_(whole) {}

  const Marks &MarksOf(int family) override;
  std::shared_ptr<const NfWays> Of(int family, std::uint32_t mark,
                                   std::optional<std::uint32_t> bound_by) override;

  // Whether anybody has asked for anything: it is to be asked again when the routes have changed.
  bool asked() const { return asked_; }

 private:
  struct OfFamily {
    Marks marks;
    std::vector<IpAddress> cuts;  // sorted, the first is 0; empty: nothing is known
  };
  // Of one destination.
  struct Way {
    enum { kNone, kKnown, kUnknown } kind = kNone;
    std::uint32_t device = 0;
    IpAddress source = {};
    friend auto operator<=>(const Way &, const Way &) = default;
  };

  OfFamily &Prepare(int family);
  NfWays WorkOut(const std::vector<IpAddress> &cuts, std::uint32_t mark,
                 std::optional<std::uint32_t> bound_by) const;
  Way WayTo(const IpAddress &destination, std::uint32_t mark,
            std::optional<std::uint32_t> bound_by) const;
  Way WayOf(const Flow &flow) const;

  const State &state_;
  const bool whole_;
  bool asked_ = false;
  std::unique_ptr<const Snapshot> snapshot_;
  std::map<int, OfFamily> families_;
  std::map<std::tuple<int, std::uint32_t, std::optional<std::uint32_t>>,
           std::shared_ptr<const NfWays>>
      ways_;
};

}  // namespace srcsel
