#include "lookup/multipath.hh"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "absl/functional/function_ref.h"

namespace srcsel {
namespace {

constexpr std::uint32_t kLastHash = 0x7fffffff;

using Bounds = std::vector<std::int32_t>;
using Index = std::optional<std::size_t>;

bool Within(std::uint32_t hash, std::int32_t bound) {
  return bound >= 0 && hash <= static_cast<std::uint32_t>(bound);
}

PathChoice AnyOf(std::size_t count) {
  PathChoice choice{std::vector<std::size_t>(count)};
  std::iota(choice.candidates.begin(), choice.candidates.end(), 0);
  return choice;
}

// A choice only ever compares the hash with bounds, so the bounds themselves stand for all hashes.
PathChoice Choose(const Bounds &bounds, Hash hash, absl::FunctionRef<Index(std::uint32_t)> select) {
  std::vector<std::uint32_t> hashes = {hash.value_or(kLastHash)};
  if (!hash)
    for (const std::int32_t bound : bounds)
      if (bound >= 0) hashes.push_back(static_cast<std::uint32_t>(bound));
  std::vector<std::size_t> indexes;
  for (const std::uint32_t each : hashes)
    if (const Index index = select(each)) indexes.push_back(*index);
  return PathChoice::OneOf(std::move(indexes));
}

enum class Owns { kNo, kYes, kPerhaps };

// Whether the source is the one that the kernel keeps for the nexthop.
Owns Owner(const Path &path, const IpAddress &source, bool sure) {
  const std::vector<IpAddress> &kept = path.kept_sources;
  if (sure || kept.empty()) return path.source == source ? Owns::kYes : Owns::kNo;
  return std::ranges::find(kept, source) == kept.end() ? Owns::kNo : Owns::kPerhaps;
}

Index FirstUsable(std::span<const Path> paths) {
  const auto first = std::ranges::find_if(paths, &Path::usable);
  if (first == paths.end()) return std::nullopt;
  return static_cast<std::size_t>(first - paths.begin());
}

}  // namespace

std::vector<std::int32_t> UpperBounds(std::span<const Path> paths) {
  std::uint64_t total = 0, sum = 0;
  for (const Path &path : paths)
    if (path.usable) total += path.weight;
  Bounds bounds(paths.size(), -1);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].usable) continue;
    sum += paths[i].weight;
    const auto end = static_cast<std::int64_t>(((sum << 31) + total / 2) / total);
    bounds[i] = static_cast<std::int32_t>(end - 1);
  }
  return bounds;
}

PathChoice ChooseNexthop4(std::span<const Path> paths, const IpAddress &source, bool use_neigh,
                          Hash hash, Index sure) {
  const Bounds bounds = UpperBounds(paths);
  const bool bound = !source.IsUnspecified();
  const int enough = bound ? 3 : 1;
  std::vector<Owns> owns(paths.size(), Owns::kNo);
  for (std::size_t i = 0; bound && i < paths.size(); ++i)
    owns[i] = Owner(paths[i], source, i == sure);
  const auto select = [&](Index supposed, std::uint32_t hashed) {
    Index best;
    int best_score = -1;
    for (std::size_t i = 0; i < paths.size() && best_score < enough; ++i) {
      if (bounds[i] < 0 || (use_neigh && !UsableInGroup(paths[i].neighbour))) continue;
      const int owner = owns[i] == Owns::kYes || supposed == i ? 2 : 0;
      const int score = owner + (Within(hashed, bounds[i]) ? 1 : 0);
      if (score > best_score) best = i, best_score = score;
    }
    return best ? best : FirstUsable(paths);
  };
  PathChoice choice = Choose(bounds, hash, std::bind_front(select, std::nullopt));
  // Of several that may be owners, the one that is taken would be so if it were the only one.
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (owns[i] != Owns::kPerhaps) continue;
    const PathChoice other = Choose(bounds, hash, std::bind_front(select, Index(i)));
    choice.candidates.insert(choice.candidates.end(), other.candidates.begin(),
                             other.candidates.end());
  }
  return PathChoice::OneOf(std::move(choice.candidates));
}

PathChoice ChooseMember(std::span<const Path> paths, Hash hash) {
  const Bounds bounds = UpperBounds(paths);
  const auto select = [&](std::uint32_t hashed) {
    Index fallback;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (!UsableInGroup(paths[i].neighbour)) continue;
      if (Within(hashed, bounds[i])) return Index(i);
      if (!fallback) fallback = i;
    }
    return fallback ? fallback : FirstUsable(paths);
  };
  return Choose(bounds, hash, select);
}

PathChoice ChooseBucket(const Paths &group, Hash hash) {
  std::span<const std::uint32_t> buckets = group.buckets;
  if (buckets.empty()) return AnyOf(group.all.size());
  if (hash) buckets = buckets.subspan(*hash % buckets.size(), 1);
  return PathChoice::OneOf({buckets.begin(), buckets.end()});
}

bool SiblingAllowed(const Path &path, const SiblingTerms &terms) {
  if (terms.strict_oif != 0 && path.oif != terms.strict_oif) return false;
  return !terms.ask_neighbours || UsableAsRouter6(path.neighbour);
}

PathChoice ChooseSibling(std::span<const Path> paths, std::size_t match, const SiblingTerms &terms,
                         Hash hash) {
  const Bounds bounds = UpperBounds(paths);
  const auto select = [&](std::uint32_t hashed) {
    for (std::size_t i = 0; i < paths.size(); ++i)
      if (Within(hashed, bounds[i])) return Index(SiblingAllowed(paths[i], terms) ? i : match);
    return Index(match);
  };
  return Choose(bounds, hash, select);
}

}  // namespace srcsel
