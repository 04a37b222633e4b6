#include "netfilter/iptables_matches.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "netfilter/numbers.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

using XtWord = std::pair<absl::string_view, std::uint32_t>;

constexpr XtWord kXtStates[] = {{"INVALID", kNfInvalid},
                                {"ESTABLISHED", kNfEstablished},
                                {"RELATED", kNfRelated},
                                {"NEW", kNfNew},
                                {"UNTRACKED", kNfUntracked}};
constexpr XtWord kXtTypes[] = {
    {"UNSPEC", RTN_UNSPEC},       {"UNICAST", RTN_UNICAST},         {"LOCAL", RTN_LOCAL},
    {"BROADCAST", RTN_BROADCAST}, {"ANYCAST", RTN_ANYCAST},         {"MULTICAST", RTN_MULTICAST},
    {"BLACKHOLE", RTN_BLACKHOLE}, {"UNREACHABLE", RTN_UNREACHABLE}, {"PROHIBIT", RTN_PROHIBIT}};

struct Known {
  NfKey key;
  NfValues values;
};
// Nothing: not understood.
using Reading = std::optional<Known>;

std::optional<std::uint32_t> NumberOf(absl::string_view word) {
  const absl::StatusOr<Mark> number = Mark::Parse(word);
  return number.ok() && number->mask == 0xffffffff ? std::optional(number->value) : std::nullopt;
}

// "80", "80:90", ":90", "1000-1999"
std::optional<Range32> RangeOf(absl::string_view word, char between, std::uint32_t last) {
  const std::size_t middle = word.find(between);
  const bool one = middle == absl::string_view::npos;
  const absl::string_view first = word.substr(0, middle),
                          second = one ? first : word.substr(middle + 1);
  const auto from = first.empty() ? std::optional<std::uint32_t>(0) : NumberOf(first);
  const auto to = second.empty() ? std::optional<std::uint32_t>(last) : NumberOf(second);
  if (!from || !to || *from > *to || word.empty()) return std::nullopt;
  return Range32{*from, *to};
}

Reading Ranges(NfField field, absl::string_view word, char between, std::uint32_t last) {
  NfNumbers numbers;
  for (absl::string_view part : absl::StrSplit(word, ',')) {
    const std::optional<Range32> range = RangeOf(part, between, last);
    if (!range) return std::nullopt;
    numbers.push_back(*range);
  }
  return Known{{field}, Normalized(std::move(numbers))};
}

template <std::size_t N>
Reading Named(NfField field, absl::string_view list, const XtWord (&words)[N]) {
  NfNumbers numbers;
  for (absl::string_view word : absl::StrSplit(list, ',')) {
    const auto *found = std::ranges::find(words, word, &XtWord::first);
    if (found == std::end(words)) return std::nullopt;
    numbers.push_back({found->second, found->second});
  }
  return Known{{field}, Normalized(std::move(numbers))};
}

Reading Addresses(NfField field, const std::string &word) {
  const absl::StatusOr<Prefix> prefix = Prefix::Parse(word);
  if (!prefix.ok()) return std::nullopt;
  return Known{{field}, MakePrefixes("", {prefix->Network()})};
}

Reading AddressRange(NfField field, const std::string &word) {
  const std::pair<std::string, std::string> ends = absl::StrSplit(word, absl::MaxSplits('-', 1));
  const auto first = IpAddress::Parse(ends.first), last = IpAddress::Parse(ends.second);
  if (!first.ok() || !last.ok()) return std::nullopt;
  std::vector<Prefix> prefixes = PrefixesOf(*first, *last);
  if (prefixes.empty()) return std::nullopt;
  return Known{{field}, MakePrefixes("", std::move(prefixes))};
}

Reading Device(NfField field, std::string name) {
  if (!name.empty() && name.back() == '+') name.back() = '*';
  return Known{{field}, NfNames{std::move(name)}};
}

Reading Protocol(const std::string &word) {
  std::uint32_t number = 0;
  if (!absl::SimpleAtoi(word, &number)) {
    const absl::StatusOr<std::uint8_t> named = ProtocolOfWord(word);
    if (!named.ok()) return std::nullopt;
    number = *named;
  }
  return Known{{NfField::kProtocol}, NfNumbers{{number, number}}};
}

// The value is compared as it stands: with a bit outside the mask it fits no mark.
Reading Marked(NfField field, const std::string &word) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(word, absl::MaxSplits('/', 1));
  const auto value = NumberOf(parts.first);
  const auto mask = parts.second.empty() ? std::optional(0xffffffffu) : NumberOf(parts.second);
  if (!value || !mask) return std::nullopt;
  return Known{{field, *mask}, NfNumbers{{*value, *value}}};
}

Reading CgroupPath(const std::string &word) {
  const absl::StatusOr<Cgroup> cgroup = CgroupOfWord(word);
  if (!cgroup.ok()) return std::nullopt;
  return Known{{NfField::kCgroup}, NfCgroups{*cgroup}};
}

// A connection's first segment has SYN, and nothing but ECN's flags beside it.
Reading TcpFlags(const std::vector<std::string> &values) {
  if (values.size() != 2) return std::nullopt;
  const std::set<std::string> mask = absl::StrSplit(values[0], ','),
                              set = absl::StrSplit(values[1], ',');
  for (const char *unsure : {"ECE", "CWR", "ALL"})
    if (mask.contains(unsure)) return std::nullopt;
  const bool holds = mask.contains("SYN") ? set == std::set<std::string>{"SYN"}
                                          : set == std::set<std::string>{"NONE"};
  return Known{{NfField::kProtocol}, holds ? NfNumbers{{IPPROTO_TCP, IPPROTO_TCP}} : NfNumbers{}};
}

using Read = Reading (*)(const std::string &word);

struct Match {
  absl::string_view module, key;
  Read read;
};

template <NfField field>
Reading Ports(const std::string &word) {
  return Ranges(field, word, ':', 65535);
}
template <NfField field>
Reading Ids(const std::string &word) {
  return Ranges(field, word, '-', 0xffffffff);
}
template <NfField field>
Reading Types(const std::string &word) {
  return Named(field, word, kXtTypes);
}
template <NfField field>
Reading AddressIn(const std::string &word) {
  return Addresses(field, word);
}
template <NfField field>
Reading RangeIn(const std::string &word) {
  return AddressRange(field, word);
}
template <NfField field>
Reading DeviceIn(const std::string &word) {
  return Device(field, word);
}
template <NfField field>
Reading MarkIn(const std::string &word) {
  return Marked(field, word);
}
Reading States(const std::string &word) {
  return Named(NfField::kConnectionState, word, kXtStates);
}
template <NfField field>
Reading Number(const std::string &word) {
  const auto number = NumberOf(word);
  if (!number) return std::nullopt;
  return Known{{field}, NfNumbers{{*number, *number}}};
}
Reading Tos(const std::string &word) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(word, absl::MaxSplits('/', 1));
  const auto value = NumberOf(parts.first);
  const auto mask = parts.second.empty() ? std::optional(0xffu) : NumberOf(parts.second);
  if (!value || !mask) return std::nullopt;
  NfNumbers numbers;
  for (std::uint32_t tos = 0; tos <= 0xff; ++tos)
    if ((tos & *mask) == *value) numbers.push_back({tos, tos});
  return Known{{NfField::kTos}, Normalized(std::move(numbers))};
}
// What holds for every first packet of the host's own.
Reading Always(const std::string &word) {
  if (!word.empty() && word != "ORIGINAL") return std::nullopt;
  return Known{{NfField::kInDevice}, NfNames{""}};
}

constexpr Match kMatches[] = {
    {"", "-d", AddressIn<NfField::kDestination>},
    {"", "-s", AddressIn<NfField::kSource>},
    {"", "-p", Protocol},
    {"", "-o", DeviceIn<NfField::kOutDevice>},
    {"", "-i", DeviceIn<NfField::kInDevice>},
    {"tcp", "--dport", Ports<NfField::kDport>},
    {"tcp", "--sport", Ports<NfField::kSport>},
    {"udp", "--dport", Ports<NfField::kDport>},
    {"udp", "--sport", Ports<NfField::kSport>},
    {"sctp", "--dport", Ports<NfField::kDport>},
    {"sctp", "--sport", Ports<NfField::kSport>},
    {"dccp", "--dport", Ports<NfField::kDport>},
    {"dccp", "--sport", Ports<NfField::kSport>},
    {"udplite", "--dport", Ports<NfField::kDport>},
    {"udplite", "--sport", Ports<NfField::kSport>},
    {"multiport", "--dports", Ports<NfField::kDport>},
    {"multiport", "--sports", Ports<NfField::kSport>},
    {"iprange", "--dst-range", RangeIn<NfField::kDestination>},
    {"iprange", "--src-range", RangeIn<NfField::kSource>},
    {"mark", "--mark", MarkIn<NfField::kMark>},
    {"connmark", "--mark", MarkIn<NfField::kConnectionMark>},
    {"owner", "--uid-owner", Ids<NfField::kUid>},
    {"owner", "--gid-owner", Ids<NfField::kGid>},
    {"owner", "--socket-exists", Always},
    {"conntrack", "--ctstate", States},
    {"conntrack", "--ctdir", Always},
    {"state", "--state", States},
    {"addrtype", "--dst-type", Types<NfField::kDestinationType>},
    {"addrtype", "--src-type", Types<NfField::kSourceType>},
    {"dscp", "--dscp", Number<NfField::kDscp>},
    {"tos", "--tos", Tos},
    {"cgroup", "--path", CgroupPath},
    {"cgroup", "--cgroup", Number<NfField::kClassid>},
};

Reading ReadOption(const IptablesPart &part, const IptablesOption &option) {
  if (part.name == "tcp" && option.key == "--tcp-flags") return TcpFlags(option.values);
  const auto *match = std::ranges::find_if(kMatches, [&](const Match &known) {
    return known.module == part.name && known.key == option.key;
  });
  if (match == std::end(kMatches) || option.values.size() > 1) return std::nullopt;
  return match->read(option.values.empty() ? "" : option.values.front());
}

// What else may be asked of a set is how often its entries have been hit.
NfStep SetMatch(const IptablesPart &part, int family, IpSets &sets) {
  const IptablesOption *match = nullptr;
  for (const IptablesOption &option : part.options) {
    const bool only_counts = absl::StartsWith(option.key, "--update-");
    if (option.key == "--match-set" && option.values.size() == 2 && match == nullptr)
      match = &option;
    else if (!only_counts)
      return NfUnknownMatch{part.Words()};
  }
  if (match == nullptr) return NfUnknownMatch{part.Words()};
  return IpSetMatch(sets, match->values[0], match->values[1], match->negated, family, part.Words());
}

// Groups of an id are only compared with the caller's own; the other option asks for all.
bool IsUnderstood(const IptablesPart &part) {
  return std::ranges::none_of(part.options, [](const IptablesOption &option) {
    return option.key == "--suppl-groups" || option.key == "--limit-iface-out" ||
           option.key == "--limit-iface-in";
  });
}

}  // namespace

void AddIptablesMatches(const IptablesPart &part, int family, IpSets &sets,
                        std::vector<NfStep> &steps) {
  if (part.name == "comment") return;
  if (part.name == "set") {
    steps.push_back(SetMatch(part, family, sets));
    return;
  }
  const bool bare = part.options.empty();
  const bool plain = part.kind.empty() || std::ranges::any_of(kMatches, [&](const Match &known) {
                       return known.module == part.name;
                     });
  if (!plain || !IsUnderstood(part)) {
    constexpr absl::string_view kAside[] = {"limit", "hashlimit", "statistic", "time",
                                            "quota", "recent",    "length",    "connlimit"};
    const bool is_aside = std::ranges::find(kAside, part.name) != std::end(kAside);
    steps.emplace_back(NfUnknownMatch{part.Words(), is_aside});
    return;
  }
  if (bare) return;
  for (const IptablesOption &option : part.options) {
    Reading known = ReadOption(part, option);
    if (!known) {
      steps.emplace_back(NfUnknownMatch{part.Words()});
      continue;
    }
    steps.emplace_back(NfMatch{{known->key},
                               std::make_shared<const NfBoxes>(NfBoxes{{std::move(known->values)}}),
                               option.negated});
  }
}

}  // namespace srcsel
