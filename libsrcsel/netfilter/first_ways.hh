// By which device and with which source packets come to netfilter: those of the route that was
// looked up before any rule has seen them.
//
// The rules see these; which they are, only who has the routes can say. Values may be kept for as
// long as the routes do not change.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netfilter/rule_set.hh"
#include <srcsel/address.hh>

namespace srcsel {

// Of all destinations. What is in none of the parts, and not unknown, does not leave.
struct NfWays {
  struct Part {
    std::string device;
    IpAddress source;
    NfPrefixes to;
  };
  std::vector<Part> parts;  // disjoint
  NfPrefixes unknown;       // never null
};

class FirstWays {
 public:
  FirstWays() = default;
  FirstWays(const FirstWays &) = delete;
  FirstWays &operator=(const FirstWays &) = delete;
  virtual ~FirstWays() = default;

  // Marks that routes of the family tell apart: bits under the mask that are one of the values, and
  // all others, of which `other` is one. Values may be missing: then of the others nothing is
  // known.
  struct Marks {
    std::uint32_t mask = 0;
    std::vector<std::uint32_t> values;
    std::optional<std::uint32_t> other;
  };
  virtual const Marks &MarksOf(int family) = 0;

  // Of sockets with that mark, which are bound to nothing; or to the source that their destination
  // has by the mark `bound_by`. Null: not to be known.
  virtual std::shared_ptr<const NfWays> Of(int family, std::uint32_t mark,
                                           std::optional<std::uint32_t> bound_by) = 0;
};

}  // namespace srcsel
