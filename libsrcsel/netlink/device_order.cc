#include "netlink/device_order.hh"

#include <algorithm>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace srcsel {
namespace {

class Order {
 public:
  void Add(std::uint32_t index) {
    if (seen_.insert(index).second) indexes_.push_back(index);
  }
  const std::vector<std::uint32_t> &indexes() const { return indexes_; }

 private:
  std::vector<std::uint32_t> indexes_;
  absl::flat_hash_set<std::uint32_t> seen_;
};

// A line a group: "2    eth0            ff02000000000000000000000000001     1 0000000C 0".
Order InIgmp6(const NetnsFiles &files) {
  Order order;
  const std::string text = files.Igmp6();
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    std::uint32_t index;
    if (absl::SimpleAtoi(line.substr(0, line.find(' ')), &index)) order.Add(index);
  }
  return order;
}

Order InIfconf(const NetnsFiles &files, absl::Span<const Link> links) {
  absl::flat_hash_map<absl::string_view, std::uint32_t> by_name;
  for (const Link &link : links) by_name.emplace(link.name, link.index);
  Order order;
  for (const std::string &label : files.Ipv4Labels()) {
    const auto link = by_name.find(label.substr(0, label.find(':')));
    if (link != by_name.end()) order.Add(link->second);
  }
  return order;
}

}  // namespace

std::vector<std::uint32_t> ReadDeviceOrder(const NetnsFiles &files, absl::Span<const Link> links) {
  return MergeOrders(InIgmp6(files).indexes(), InIfconf(files, links).indexes());
}

std::vector<std::uint32_t> MergeOrders(absl::Span<const std::uint32_t> first,
                                       absl::Span<const std::uint32_t> second) {
  std::vector<std::uint32_t> merged(first.begin(), first.end());
  auto next = merged.begin();
  for (const std::uint32_t index : second) {
    const auto known = std::find(merged.begin(), merged.end(), index);
    next = (known == merged.end() ? merged.insert(next, index) : known) + 1;
  }
  return merged;
}

}  // namespace srcsel
