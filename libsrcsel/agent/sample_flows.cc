#include "agent/sample_flows.hh"

#include <algorithm>
#include <iterator>
#include <span>

namespace srcsel {
namespace {

constexpr std::size_t kDestinations = 4096;
constexpr std::size_t kOthers = 64;

std::vector<IpAddress> Anywhere(int family) {
  std::vector<IpAddress> addresses;
  if (family == AF_INET) {
    for (int first : {1,   5,   8,   23,  31,  45,  62,  77,  85,  93,  104, 119,
                      133, 142, 151, 163, 178, 185, 199, 203, 210, 217, 223}) {
      const std::uint8_t bytes[4] = {static_cast<std::uint8_t>(first), 77, 131, 9};
      addresses.push_back(IpAddress::FromBytes(AF_INET, bytes));
    }
    return addresses;
  }
  for (int first : {0x2001, 0x2400, 0x2600, 0x2607, 0x2804, 0x2a00, 0x2a02, 0x2c0f}) {
    const std::uint8_t bytes[16] = {static_cast<std::uint8_t>(first >> 8),
                                    static_cast<std::uint8_t>(first), 0x4d, 0x83};
    addresses.push_back(IpAddress::FromBytes(AF_INET6, bytes));
  }
  return addresses;
}

// Sets are sorted, by family first.
std::span<const Prefix> OfFamily(const PrefixSet &set, int family) {
  const auto begin = std::ranges::lower_bound(set.prefixes, Prefix::Default(AF_INET6));
  return family == AF_INET ? std::span(set.prefixes.begin(), begin)
                           : std::span(begin, set.prefixes.end());
}

std::vector<IpAddress> Destinations(const PolicyRule &rule, int family) {
  if (rule.to.empty() && rule.sets.empty()) return Anywhere(family);
  std::vector<Prefix> own;
  std::ranges::copy_if(rule.to, std::back_inserter(own),
                       [&](const Prefix &p) { return p.address.family() == family; });
  std::vector<std::span<const Prefix>> parts = {own};
  for (const auto &set : rule.sets) parts.push_back(OfFamily(*set, family));
  std::size_t all = 0;
  for (const std::span<const Prefix> &part : parts) all += part.size();

  std::vector<IpAddress> addresses;
  const std::size_t count = std::min(all, kDestinations);
  auto part = parts.begin();
  for (std::size_t i = 0, before = 0; i < count; ++i) {
    const std::size_t index = i * all / count;
    for (; index - before >= part->size(); ++part) before += part->size();
    const Prefix &prefix = (*part)[index - before];
    if (prefix.length == 0)
      std::ranges::copy(Anywhere(family), std::back_inserter(addresses));
    else
      addresses.push_back(prefix.address);
  }
  return addresses;
}

// All flows again for each value, which set() puts into them; as they are if there is no value.
template <typename T, typename Set>
void Multiply(std::vector<Flow> &flows, const std::vector<T> &values, const Set &set) {
  if (values.empty()) return;
  std::vector<Flow> all;
  for (const Flow &flow : flows)
    for (const T &value : values) {
      if (all.size() == kOthers) break;
      set(all.emplace_back(flow), value);
    }
  flows.swap(all);
}

}  // namespace

std::vector<Flow> SampleFlows(const PolicyRule &rule, int family) {
  std::vector<Flow> others(1);
  others[0].dport = 443;
  Multiply(others, rule.protos, [](Flow &flow, std::uint8_t proto) { flow.proto = proto; });
  Multiply(others, rule.dports, [](Flow &flow, Range16 ports) { flow.dport = ports.first; });
  Multiply(others, rule.uids, [](Flow &flow, Range32 uids) { flow.uid = uids.first; });
  Multiply(others, rule.marks, [](Flow &flow, Mark mark) { flow.mark = mark.value; });
  std::vector<Flow> flows;
  for (const IpAddress &destination : Destinations(rule, family))
    for (const Flow &other : others) {
      flows.push_back(other);
      flows.back().destination = destination;
    }
  return flows;
}

}  // namespace srcsel
