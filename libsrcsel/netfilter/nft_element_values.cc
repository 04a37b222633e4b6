#include "netfilter/nft_element_values.hh"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "netfilter/numbers.hh"

namespace srcsel {
namespace {

std::optional<NftType> TypeOf(const NftJson &word) {
  if (word == "ipv4_addr") return NftType::kIpv4;
  if (word == "ipv6_addr") return NftType::kIpv6;
  if (word == "inet_proto") return NftType::kProtocol;
  if (word == "inet_service") return NftType::kPort;
  if (word == "mark") return NftType::kMark;
  return std::nullopt;
}

std::size_t SizeOf(NftType type) {
  switch (type) {
    case NftType::kIpv6:
      return 16;
    case NftType::kProtocol:
      return 1;
    case NftType::kPort:
      return 2;
    case NftType::kIpv4:
    case NftType::kMark:
      return 4;
  }
  return 0;
}

// In a concatenation each part begins at a multiple of a register's size.
constexpr std::size_t kRegister = 4;
std::size_t Padded(std::size_t size) {
  return (size + kRegister - 1) / kRegister * kRegister;
}

bool IsAddress(NftType type) {
  return type == NftType::kIpv4 || type == NftType::kIpv6;
}

IpAddress AddressOf(NftType type, const char *bytes) {
  return IpAddress::FromBytes(type == NftType::kIpv4 ? AF_INET : AF_INET6,
                              reinterpret_cast<const std::uint8_t *>(bytes));
}

std::uint32_t NumberOf(NftType type, const char *bytes) {
  std::uint16_t port = 0;
  std::uint32_t mark = 0;
  switch (type) {
    case NftType::kProtocol:
      return static_cast<std::uint8_t>(*bytes);
    case NftType::kPort:
      std::memcpy(&port, bytes, sizeof(port));
      return ntohs(port);
    default:
      std::memcpy(&mark, bytes, sizeof(mark));
      return mark;
  }
}

// The key before it, of the same size.
std::string Before(std::string key) {
  for (std::size_t i = key.size(); i-- > 0;)
    if (key[i]-- != 0) break;
  return key;
}

// Values of one type that may still become more.
struct Values {
  std::vector<Prefix> prefixes;
  NfNumbers numbers;

  void Add(NftType type, const char *first, const char *last) {
    if (!IsAddress(type)) return numbers.push_back({NumberOf(type, first), NumberOf(type, last)});
    const IpAddress from = AddressOf(type, first);
    if (std::memcmp(first, last, SizeOf(type)) == 0) return prefixes.push_back({from, from.bits()});
    std::ranges::copy(PrefixesOf(from, AddressOf(type, last)), std::back_inserter(prefixes));
  }
  NfValues Take(NftType type, const std::string &name) {
    if (IsAddress(type)) return MakePrefixes(name, std::move(prefixes));
    return Normalized(std::move(numbers));
  }
};

// Keys become boxes, as few as there are different ends of them.
class Gatherer {
 public:
  explicit Gatherer(const NftShape &shape) : shape_(shape) {}

  // False: it is not such a key.
  bool Add(const std::string &first, const std::string &last) {
    const NftType type = shape_.types.front();
    const std::size_t size = SizeOf(type);
    std::size_t expected = size;
    if (shape_.types.size() > 1) {
      expected = 0;
      for (const NftType part : shape_.types) expected += Padded(SizeOf(part));
    }
    if (first.size() != expected || last.size() != expected) return false;
    const std::size_t skip = std::min(Padded(size), first.size());
    if (group_ == nullptr || size < first.size())
      group_ = &groups_[{first.substr(skip), last.substr(skip)}];
    group_->Add(type, first.data(), last.data());
    return true;
  }

  NfBoxes Take(const std::string &name) {
    NfBoxes boxes;
    for (auto &[rest, first] : groups_) {
      NfBox box{first.Take(shape_.types.front(), name)};
      std::size_t at = 0;
      for (std::size_t i = 1; i < shape_.types.size(); ++i) {
        Values one;
        one.Add(shape_.types[i], rest.first.data() + at, rest.second.data() + at);
        box.push_back(one.Take(shape_.types[i], ""));
        at += Padded(SizeOf(shape_.types[i]));
      }
      boxes.push_back(std::move(box));
    }
    return boxes;
  }

 private:
  const NftShape &shape_;
  std::map<std::pair<std::string, std::string>, Values> groups_;
  Values *group_ = nullptr;  // the last one
};

// Each key with its element; of an interval its first and last one. False if `each` says so.
template <typename F>
bool ForEach(const NftElementMap &elements, const NftShape &shape, F each) {
  const bool points = shape.intervals && shape.types.size() == 1;
  for (auto item = elements.begin(); item != elements.end(); ++item) {
    const auto &[key, element] = *item;
    if (!key.second) continue;
    const auto next = std::next(item);
    std::string last = element.last.empty() ? key.first : element.last;
    if (points)
      last = next == elements.end() ? std::string(key.first.size(), '\xff')
                                    : Before(next->first.first);
    if (!each(key.first, last, element)) return false;
  }
  return true;
}

std::optional<decltype(NfCase::then)> ThenOf(const NftElement &element, bool marks) {
  if (marks) {
    if (element.value.size() != sizeof(std::uint32_t)) return std::nullopt;
    return NfSetMark{false, {0, 0, NumberOf(NftType::kMark, element.value.data())}};
  }
  switch (element.verdict) {
    case NF_ACCEPT:
      return NfVerdict{NfVerdictKind::kAccept};
    case NF_DROP:
      return NfVerdict{NfVerdictKind::kDrop};
    case NFT_RETURN:
      return NfVerdict{NfVerdictKind::kReturn};
    case NFT_JUMP:
      return NfVerdict{NfVerdictKind::kJump, element.chain};
    case NFT_GOTO:
      return NfVerdict{NfVerdictKind::kGoto, element.chain};
    case NFT_CONTINUE:
      return NfSetMark{false, {0xffffffff, 0, 0}};
    default:
      return std::nullopt;
  }
}

// One flag is a word, several are a list, as the version has it.
bool HasFlag(const NftJson &set, const char *flag) {
  const auto flags = set.find("flags");
  return flags != set.end() && absl::StrContains(flags->dump(), absl::StrCat("\"", flag, "\""));
}

}  // namespace

std::optional<NftShape> NftShapeOf(const NftJson &set) {
  NftShape shape;
  const auto type = set.find("type"), to = set.find("map");
  if (type == set.end()) return std::nullopt;
  for (const NftJson &word : type->is_array() ? *type : NftJson::array({*type})) {
    const std::optional<NftType> known = TypeOf(word);
    if (!known) return std::nullopt;
    shape.types.push_back(*known);
  }
  if (to != set.end() && *to != "mark" && *to != "verdict") return std::nullopt;
  shape.marks = to != set.end() && *to == "mark";
  shape.intervals = HasFlag(set, "interval");
  // A mark's bytes are in the host's order, unless intervals or a concatenation turn them over.
  const bool turns = shape.intervals || shape.types.size() > 1;
  if (turns && std::ranges::find(shape.types, NftType::kMark) != shape.types.end())
    return std::nullopt;
  return shape;
}

std::optional<NfBoxes> BoxesOf(const NftElementMap &elements, const NftShape &shape,
                               const std::string &name) {
  Gatherer gatherer(shape);
  const auto add = [&](const std::string &first, const std::string &last, const NftElement &) {
    return gatherer.Add(first, last);
  };
  if (!ForEach(elements, shape, add)) return std::nullopt;
  return gatherer.Take(name);
}

std::optional<std::vector<NfCase>> CasesOf(const NftElementMap &elements, const NftShape &shape,
                                           const std::string &name) {
  struct Case {
    decltype(NfCase::then) then;
    Gatherer keys;
  };
  std::map<std::string, Case> cases;
  const auto add = [&](const std::string &first, const std::string &last, const NftElement &one) {
    const auto then = ThenOf(one, shape.marks);
    if (!then) return false;
    const std::string data = absl::StrCat(one.verdict, " ", one.chain, " ", one.value);
    return cases.try_emplace(data, Case{*then, Gatherer(shape)})
        .first->second.keys.Add(first, last);
  };
  if (!ForEach(elements, shape, add)) return std::nullopt;
  std::vector<NfCase> all;
  for (auto &[data, one] : cases) all.push_back({one.keys.Take(name), one.then});
  return all;
}

}  // namespace srcsel
