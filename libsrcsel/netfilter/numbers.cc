#include "netfilter/numbers.hh"

#include <algorithm>
#include <bit>
#include <iterator>

namespace srcsel {
namespace {

bool Covers(const Prefix &wide, const Prefix &narrow) {
  return wide.length <= narrow.length && wide.Contains(narrow.address);
}

// The last prefix that does not begin after the address: the only one of a set without nesting that
// may contain it.
const Prefix *Nearest(const PrefixSet &set, const Prefix &prefix) {
  const auto after = std::ranges::upper_bound(set.prefixes, prefix);
  return after == set.prefixes.begin() ? nullptr : &*std::prev(after);
}

}  // namespace

NfNumbers Normalized(NfNumbers numbers) {
  std::ranges::sort(numbers, {}, &Range32::first);
  NfNumbers out;
  for (const Range32 &range : numbers) {
    if (range.first > range.last) continue;
    if (!out.empty() && (out.back().last == 0xffffffff || range.first <= out.back().last + 1))
      out.back().last = std::max(out.back().last, range.last);
    else
      out.push_back(range);
  }
  return out;
}

NfNumbers Intersection(const NfNumbers &a, const NfNumbers &b) {
  NfNumbers out;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const Range32 both{std::max(i->first, j->first), std::min(i->last, j->last)};
    if (both.first <= both.last) out.push_back(both);
    if (i->last < j->last)
      ++i;
    else
      ++j;
  }
  return out;
}

NfNumbers Complement(const NfNumbers &numbers, std::uint32_t last) {
  NfNumbers out;
  std::uint32_t from = 0;
  for (const Range32 &range : numbers) {
    if (range.first > from) out.push_back({from, range.first - 1});
    if (range.last >= last) return out;
    from = range.last + 1;
  }
  out.push_back({from, last});
  return out;
}

bool Contains(const NfNumbers &numbers, std::uint32_t number) {
  return std::ranges::any_of(
      numbers, [&](const Range32 &r) { return r.first <= number && number <= r.last; });
}

bool Covers(const NfNumbers &wide, const NfNumbers &narrow) {
  return Intersection(wide, narrow) == narrow;
}

std::vector<Mark> MarksOf(const NfNumbers &numbers) {
  std::vector<Mark> out;
  for (const Range32 &range : numbers) {
    std::uint64_t first = range.first;
    while (first <= range.last) {
      std::uint64_t size = first == 0 ? std::uint64_t{1} << 32 : first & -first;
      while (first + size - 1 > range.last) size /= 2;
      out.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(~(size - 1))});
      first += size;
    }
  }
  return out;
}

IpAddress LastOf(const Prefix &prefix) {
  IpAddress::Bytes bytes = prefix.address.bytes();
  for (int bit = prefix.length; bit < prefix.address.bits(); ++bit)
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80 >> (bit % 8));
  return IpAddress::FromBytes(prefix.address.family(), bytes.data());
}

IpAddress NextOf(const IpAddress &address) {
  IpAddress::Bytes bytes = address.bytes();
  for (std::size_t i = address.size(); i-- > 0;)
    if (++bytes[i] != 0) break;
  return IpAddress::FromBytes(address.family(), bytes.data());
}

IpAddress PreviousOf(const IpAddress &address) {
  IpAddress::Bytes bytes = address.bytes();
  for (std::size_t i = address.size(); i-- > 0;)
    if (bytes[i]-- != 0) break;
  return IpAddress::FromBytes(address.family(), bytes.data());
}

std::vector<Prefix> PrefixesOf(const IpAddress &first, const IpAddress &last) {
  std::vector<Prefix> out;
  if (first.family() != last.family() || last < first) return out;
  for (IpAddress from = first;;) {
    Prefix widest{from, from.bits()};
    for (int length = from.bits() - 1; length >= 0; --length) {
      const Prefix wider{from, length};
      if (wider.Network() != wider || last < LastOf(wider)) break;
      widest = wider;
    }
    out.push_back(widest);
    const IpAddress end = LastOf(widest);
    if (end == last) return out;
    from = NextOf(end);
  }
}

NfPrefixes MakePrefixes(std::string name, std::vector<Prefix> prefixes) {
  if (!std::ranges::is_sorted(prefixes)) std::ranges::sort(prefixes);
  std::vector<Prefix> widest;
  widest.reserve(prefixes.size());
  for (const Prefix &prefix : prefixes)
    if (widest.empty() || !Covers(widest.back(), prefix)) widest.push_back(prefix);
  return std::make_shared<const PrefixSet>(PrefixSet{std::move(name), std::move(widest)});
}

NfPrefixes AllOf(int family) {
  static const NfPrefixes v4 = MakePrefixes("", {Prefix::Default(AF_INET)});
  static const NfPrefixes v6 = MakePrefixes("", {Prefix::Default(AF_INET6)});
  return family == AF_INET ? v4 : v6;
}

NfPrefixes Intersection(const NfPrefixes &a, const NfPrefixes &b) {
  if (a == b) return a;
  const bool a_is_small = a->prefixes.size() < b->prefixes.size();
  const PrefixSet &small = a_is_small ? *a : *b, &large = a_is_small ? *b : *a;
  std::vector<Prefix> both;
  std::size_t whole = 0;
  for (const Prefix &prefix : small.prefixes) {
    const Prefix *around = Nearest(large, prefix);
    if (around != nullptr && Covers(*around, prefix)) {
      both.push_back(prefix);
      ++whole;
      continue;
    }
    for (auto inside = std::ranges::lower_bound(large.prefixes, prefix);
         inside != large.prefixes.end() && Covers(prefix, *inside); ++inside)
      both.push_back(*inside);
  }
  if (whole == small.prefixes.size()) return a_is_small ? a : b;
  if (both == large.prefixes) return a_is_small ? b : a;
  return std::make_shared<const PrefixSet>(PrefixSet{"", std::move(both)});
}

bool Contains(const PrefixSet &set, const IpAddress &address) {
  const Prefix *nearest = Nearest(set, {address, address.bits()});
  return nearest != nullptr && nearest->Contains(address);
}

bool Covers(const PrefixSet &wide, const PrefixSet &narrow) {
  return std::ranges::all_of(narrow.prefixes, [&](const Prefix &prefix) {
    const Prefix *nearest = Nearest(wide, prefix);
    return nearest != nullptr && Covers(*nearest, prefix);
  });
}

}  // namespace srcsel
