// The routes of a namespace, in dump order: among routes of one prefix, tos and metric, the first
// comes first in the kernel too.
//
// Cost: 32 bytes a route, and each distinct terms twice. push_back() of a Route hashes its terms
// (0.5 us); who knows that terms come again keeps their number.

#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "state/route.hh"

namespace srcsel {

class Routes {
 public:
  struct Entry {
    Prefix dst;
    std::uint32_t terms;  // index into terms()
  };

  Routes() = default;
  Routes(const std::vector<Route> &routes);  // NOLINT(google-explicit-constructor): the same value

  void push_back(const Route &route) { push_back(route.dst, Keep(route)); }
  // `terms` is what Keep() returned.
  void push_back(const Prefix &dst, std::uint32_t terms) { entries_.push_back({dst, terms}); }
  // The index into terms() of these, from now on.
  std::uint32_t Keep(const RouteTerms &terms);
  // Gives route number `index` other terms, which Keep() returned.
  void SetTerms(std::size_t index, std::uint32_t terms) { entries_[index].terms = terms; }
  // Forgets all but the first `count` routes.
  void Truncate(std::size_t count) { entries_.resize(count); }

  std::size_t size() const { return entries_.size(); }
  std::span<const Entry> entries() const { return entries_; }
  // Distinct; some may belong to no route any more.
  std::span<const RouteTerms> terms() const { return terms_; }
  const RouteTerms &TermsOf(const Entry &entry) const { return terms_[entry.terms]; }
  // The route put together again: a copy.
  Route At(std::size_t index) const;

 private:
  std::vector<Entry> entries_;
  std::vector<RouteTerms> terms_;
  absl::flat_hash_map<RouteTerms, std::uint32_t> index_;
};

}  // namespace srcsel
