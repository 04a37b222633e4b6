#include "netfilter/nft_values.hh"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "netfilter/nft_cgroups.hh"
#include "netfilter/numbers.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

using NftWord = std::pair<absl::string_view, std::uint32_t>;

constexpr NftWord kNftStates[] = {{"invalid", kNfInvalid},
                                  {"established", kNfEstablished},
                                  {"related", kNfRelated},
                                  {"new", kNfNew},
                                  {"untracked", kNfUntracked}};
constexpr NftWord kNftTypes[] = {
    {"unspec", RTN_UNSPEC},       {"unicast", RTN_UNICAST},         {"local", RTN_LOCAL},
    {"broadcast", RTN_BROADCAST}, {"anycast", RTN_ANYCAST},         {"multicast", RTN_MULTICAST},
    {"blackhole", RTN_BLACKHOLE}, {"unreachable", RTN_UNREACHABLE}, {"prohibit", RTN_PROHIBIT}};
constexpr NftWord kNftDscps[] = {
    {"cs0", 0},   {"cs1", 8},   {"cs2", 16},  {"cs3", 24},  {"cs4", 32},
    {"cs5", 40},  {"cs6", 48},  {"cs7", 56},  {"df", 0},    {"be", 0},
    {"lephb", 1}, {"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18},
    {"af22", 20}, {"af23", 22}, {"af31", 26}, {"af32", 28}, {"af33", 30},
    {"af41", 34}, {"af42", 36}, {"af43", 38}, {"va", 44},   {"ef", 46}};

template <std::size_t N>
std::optional<std::uint32_t> Find(const NftWord (&words)[N], const std::string &word) {
  const auto *found = std::ranges::find(words, absl::string_view(word), &NftWord::first);
  if (found == std::end(words)) return std::nullopt;
  return found->second;
}

NfMatch FamilyMatch(int family) {
  return {
      {{NfField::kDestination}}, std::make_shared<const NfBoxes>(NfBoxes{{AllOf(family)}}), false};
}

NfMatch ProtocolMatch(std::uint32_t proto) {
  return NumberMatch(NfField::kProtocol, {{proto, proto}});
}

std::string TextOf(const NftJson &json, const char *key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// Headers, and what a packet that has them is known to be.
std::vector<NfMatch> ImpliedBy(const std::string &protocol) {
  if (protocol == "ip") return {FamilyMatch(AF_INET)};
  if (protocol == "ip6") return {FamilyMatch(AF_INET6)};
  if (protocol == "igmp") return {ProtocolMatch(IPPROTO_IGMP)};
  if (protocol == "comp") return {ProtocolMatch(IPPROTO_COMP)};
  if (protocol == "esp") return {ProtocolMatch(IPPROTO_ESP)};
  if (protocol == "ah") return {ProtocolMatch(IPPROTO_AH)};
  const absl::StatusOr<std::uint8_t> number =
      protocol == "th" ? absl::NotFoundError("") : ProtocolOfWord(protocol);
  return number.ok() ? std::vector<NfMatch>{ProtocolMatch(*number)} : std::vector<NfMatch>{};
}

NftKey PayloadKey(const NftJson &payload) {
  const std::string protocol = TextOf(payload, "protocol"), field = TextOf(payload, "field");
  NftKey key{{}, ImpliedBy(protocol)};
  if (protocol == "ip" || protocol == "ip6") {
    if (field == "daddr") key.keys = {{NfField::kDestination}};
    if (field == "saddr") key.keys = {{NfField::kSource}};
    if (field == "dscp") key.keys = {{NfField::kDscp}};
    if (field == (protocol == "ip" ? "protocol" : "nexthdr")) key.keys = {{NfField::kProtocol}};
  } else if (protocol == "th" || !key.implied.empty()) {
    if (field == "dport") key.keys = {{NfField::kDport}};
    if (field == "sport") key.keys = {{NfField::kSport}};
  }
  return key;
}

NftKey MetaKey(const NftJson &meta) {
  const std::string key = TextOf(meta, "key");
  constexpr std::pair<absl::string_view, NfField> kKeys[] = {
      {"mark", NfField::kMark},         {"l4proto", NfField::kProtocol},
      {"skuid", NfField::kUid},         {"skgid", NfField::kGid},
      {"oifname", NfField::kOutDevice}, {"oif", NfField::kOutDevice},
      {"iifname", NfField::kInDevice},  {"iif", NfField::kInDevice},
      {"cgroup", NfField::kClassid}};
  for (const auto &[word, field] : kKeys)
    if (word == key) return {{{field}}, {}};
  return {};
}

NftKey ConnectionKey(const NftJson &ct) {
  const std::string key = TextOf(ct, "key");
  if (ct.contains("dir")) return {};
  if (key == "mark") return {{{NfField::kConnectionMark}}, {}};
  if (key == "state") return {{{NfField::kConnectionState}}, {}};
  return {};
}

NftKey TypeKey(const NftJson &fib) {
  const auto flags = fib.find("flags");
  if (TextOf(fib, "result") != "type" || flags == fib.end()) return {};
  const NftJson only = flags->is_array() && flags->size() == 1 ? flags->front() : *flags;
  if (only == "daddr") return {{{NfField::kDestinationType}}, {}};
  if (only == "saddr") return {{{NfField::kSourceType}}, {}};
  return {};
}

NftKey MaskedKey(const NftJson &operands) {
  if (!operands.is_array() || operands.size() != 2) return {};
  NftKey key = NftKeyOf(operands[0]);
  const bool is_mark = key.keys.size() == 1 && (key.keys[0].field == NfField::kMark ||
                                                key.keys[0].field == NfField::kConnectionMark);
  if (is_mark && operands[1].is_number_unsigned())
    key.keys[0].mask &= operands[1].get<std::uint32_t>();
  else
    key.keys.clear();
  return key;
}

NftKey Concatenation(const NftJson &parts) {
  NftKey all;
  bool known = true;
  for (const NftJson &part : parts) {
    NftKey one = NftKeyOf(part);
    known &= !one.keys.empty();
    std::ranges::move(one.keys, std::back_inserter(all.keys));
    std::ranges::move(one.implied, std::back_inserter(all.implied));
  }
  if (!known) all.keys.clear();
  return all;
}

std::optional<std::uint32_t> NumberOf(NfField field, const NftJson &value) {
  if (value.is_number_unsigned()) return value.get<std::uint32_t>();
  if (!value.is_string()) return std::nullopt;
  const std::string word = value.get<std::string>();
  std::uint32_t number = 0;
  if (absl::SimpleAtoi(word, &number)) return number;
  switch (field) {
    case NfField::kConnectionState:
      return Find(kNftStates, word);
    case NfField::kDestinationType:
    case NfField::kSourceType:
      return Find(kNftTypes, word);
    case NfField::kDscp:
      return Find(kNftDscps, word);
    case NfField::kProtocol: {
      const absl::StatusOr<std::uint8_t> proto = ProtocolOfWord(word);
      return proto.ok() ? std::optional<std::uint32_t>(*proto) : std::nullopt;
    }
    case NfField::kUid:
    case NfField::kGid: {
      const auto ids = field == NfField::kUid ? UsersOfWord(word) : GroupsOfWord(word);
      return ids.ok() ? std::optional<std::uint32_t>(ids->first) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<NfValues> PrefixesOfValue(const NftJson &value) {
  const auto address = [](const NftJson &json) -> std::optional<IpAddress> {
    if (!json.is_string()) return std::nullopt;
    const absl::StatusOr<IpAddress> parsed = IpAddress::Parse(json.get<std::string>());
    return parsed.ok() ? std::optional(*parsed) : std::nullopt;
  };
  std::vector<Prefix> prefixes;
  if (const auto range = value.find("range"); value.is_object() && range != value.end()) {
    const auto first = address((*range)[0]), last = address((*range)[1]);
    if (!first || !last) return std::nullopt;
    prefixes = PrefixesOf(*first, *last);
  } else if (const auto prefix = value.find("prefix"); value.is_object() && prefix != value.end()) {
    const auto network = address((*prefix)["addr"]);
    if (!network) return std::nullopt;
    prefixes = {Prefix{*network, (*prefix)["len"].get<int>()}};
    if (prefixes.front().Network() != prefixes.front()) return std::nullopt;
  } else if (const auto host = address(value)) {
    prefixes = {{*host, host->bits()}};
  }
  if (prefixes.empty()) return std::nullopt;
  return MakePrefixes("", std::move(prefixes));
}

std::optional<NfValues> NumbersOfValue(NfField field, const NftJson &value) {
  if (value.is_object() && value.contains("range")) {
    const NftJson &range = value["range"];
    const auto first = NumberOf(field, range[0]), last = NumberOf(field, range[1]);
    if (!first || !last) return std::nullopt;
    return NfNumbers{{*first, *last}};
  }
  if (value.is_object() && value.contains("prefix")) {
    const NftJson &prefix = value["prefix"];
    const auto first = NumberOf(field, prefix["addr"]);
    if (!first || field == NfField::kDport || field == NfField::kSport) return std::nullopt;
    const int length = prefix["len"].get<int>();
    const std::uint32_t host = length >= 32 ? 0 : 0xffffffff >> length;
    // Nft prints `mark and 0xffffff00 == 2` so too: it never holds.
    if (*first & host) return NfNumbers();
    return NfNumbers{{*first, *first | host}};
  }
  const auto number = NumberOf(field, value);
  if (!number) return std::nullopt;
  return NfNumbers{{*number, *number}};
}

std::optional<NfValues> ValuesOf(const NfKey &key, const NftJson &value) {
  const NfField field = key.field;
  switch (field) {
    case NfField::kDestination:
    case NfField::kSource:
      return PrefixesOfValue(value);
    case NfField::kOutDevice:
    case NfField::kInDevice: {
      if (!value.is_string()) return std::nullopt;
      const std::string name = value.get<std::string>();
      return NfNames{field == NfField::kInDevice && name == "0" ? "" : name};
    }
    case NfField::kCgroup:
      return NftCgroupsOf(value.is_string() ? value.get<std::string>() : value.dump(), key.level);
    default:
      return NumbersOfValue(field, value);
  }
}

// Of two boxes that differ in the first value alone, that of both.
void Append(NfValues &to, NfValues &&values) {
  if (auto *numbers = std::get_if<NfNumbers>(&to))
    std::ranges::move(std::get<NfNumbers>(values), std::back_inserter(*numbers));
  else if (auto *names = std::get_if<NfNames>(&to))
    std::ranges::move(std::get<NfNames>(values), std::back_inserter(*names));
  else
    std::ranges::move(std::get<NfCgroups>(values), std::back_inserter(std::get<NfCgroups>(to)));
}

std::string Serialized(const NfBox &box, std::size_t from) {
  std::string text;
  for (std::size_t i = from; i < box.size(); ++i) {
    absl::StrAppend(&text, box[i].index(), ":");
    if (const auto *numbers = std::get_if<NfNumbers>(&box[i]))
      for (const Range32 &range : *numbers)
        absl::StrAppend(&text, range.first, "-", range.last, ",");
    else if (const auto *prefixes = std::get_if<NfPrefixes>(&box[i]))
      for (const Prefix &prefix : (*prefixes)->prefixes)
        absl::StrAppend(&text, prefix.ToString(), ",");
    else if (const auto *names = std::get_if<NfNames>(&box[i]))
      for (const std::string &name : *names) absl::StrAppend(&text, name, ",");
    else
      for (const Cgroup &cgroup : std::get<NfCgroups>(box[i]))
        absl::StrAppend(&text, cgroup.path, "#", cgroup.id, ",");
  }
  return text;
}

}  // namespace

NfMatch NumberMatch(NfField field, NfNumbers numbers, bool negated) {
  return {{{field}},
          std::make_shared<const NfBoxes>(NfBoxes{{Normalized(std::move(numbers))}}),
          negated};
}

NftKey NftKeyOf(const NftJson &left) {
  if (!left.is_object() || left.size() != 1) return {};
  const std::string &kind = left.begin().key();
  const NftJson &value = left.begin().value();
  if (kind == "payload") return PayloadKey(value);
  if (kind == "meta") return MetaKey(value);
  if (kind == "ct") return ConnectionKey(value);
  if (kind == "fib") return TypeKey(value);
  if (kind == "&") return MaskedKey(value);
  if (kind == "concat") return Concatenation(value);
  if (kind == "exthdr") return {{}, {FamilyMatch(AF_INET6)}};
  if (kind == "socket" && TextOf(value, "key") == "cgroupv2" && value.contains("level"))
    return {{{.field = NfField::kCgroup, .level = value["level"].get<std::uint32_t>()}}, {}};
  return {};
}

std::optional<NfBoxes> NftBoxesOf(const std::vector<NfKey> &keys, const NftJson &value) {
  if (value.is_object() && value.contains("elem")) return NftBoxesOf(keys, value["elem"]["val"]);
  const NftJson *list = nullptr;
  if (value.is_array()) list = &value;
  if (value.is_object() && value.contains("set")) list = &value["set"];
  NfBoxes boxes;
  if (list != nullptr) {
    for (const NftJson &one : *list) {
      std::optional<NfBoxes> some = NftBoxesOf(keys, one);
      if (!some) return std::nullopt;
      std::ranges::move(*some, std::back_inserter(boxes));
    }
    return boxes;
  }
  NfBox box;
  const NftJson *parts = value.is_object() && value.contains("concat") ? &value["concat"] : nullptr;
  if ((parts == nullptr ? 1 : parts->size()) != keys.size()) return std::nullopt;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::optional<NfValues> values = ValuesOf(keys[i], parts == nullptr ? value : (*parts)[i]);
    if (!values) return std::nullopt;
    box.push_back(*std::move(values));
  }
  boxes.push_back(std::move(box));
  return boxes;
}

NfBoxes Joined(NfBoxes boxes, const std::string &name) {
  NfBoxes joined;
  std::map<std::string, std::size_t> by_rest;
  std::map<std::size_t, std::vector<Prefix>> prefixes;
  for (NfBox &box : boxes) {
    const auto [found, is_new] = by_rest.try_emplace(Serialized(box, 1), joined.size());
    if (const auto *some = std::get_if<NfPrefixes>(&box.front())) {
      std::vector<Prefix> &all = prefixes[found->second];
      all.insert(all.end(), (*some)->prefixes.begin(), (*some)->prefixes.end());
      if (is_new) joined.push_back(std::move(box));
    } else if (is_new) {
      joined.push_back(std::move(box));
    } else {
      Append(joined[found->second].front(), std::move(box.front()));
    }
  }
  for (auto &[index, all] : prefixes) joined[index].front() = MakePrefixes(name, std::move(all));
  for (NfBox &box : joined)
    for (std::size_t i = 0; i < box.size(); ++i)
      if (auto *numbers = std::get_if<NfNumbers>(&box[i])) *numbers = Normalized(*numbers);
  return joined;
}

}  // namespace srcsel
