#include "netfilter/nft_sets.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "netfilter/list_nft.hh"
#include "netfilter/nft_element_values.hh"
#include "netfilter/nft_netlink.hh"

namespace srcsel {
namespace {

std::string Signature(const std::string &name, const std::vector<NfKey> &keys) {
  return absl::StrCat(name, "|", absl::StrJoin(keys, ",", [](std::string *out, const NfKey &key) {
                        absl::StrAppend(out, static_cast<int>(key.field), "/", key.mask, "/",
                                        key.level);
                      }));
}

std::optional<decltype(NfCase::then)> ThenOf(const NftJson &data) {
  if (data.is_number_unsigned()) return NfSetMark{false, {0, 0, data.get<std::uint32_t>()}};
  if (data.is_object() && data.contains("continue")) return NfSetMark{false, {0xffffffff, 0, 0}};
  if (const std::optional<NfVerdict> verdict = NftVerdictOf(data)) return *verdict;
  return std::nullopt;
}

using Cases = std::shared_ptr<const std::vector<NfCase>>;

// As the kernel calls it.
NftSetName NameOf(const NftJson &set) {
  return {NftFamily(set.value("family", "")), set.value("table", ""), set.value("name", "")};
}

// What has a limit of its own holds as long as that is not reached.
bool IsLimited(const NftJson &set) {
  const auto statements = set.find("stmt");
  return statements != set.end() && std::ranges::any_of(*statements, [](const NftJson &one) {
           return !one.is_object() || !(one.contains("counter") || one.contains("last"));
         });
}

// Null: there are none.
const NftJson *ElementsIn(const NftJson &set) {
  const auto elements = set.find("elem");
  return elements == set.end() ? nullptr : &*elements;
}

}  // namespace

void NftSets::Add(const NftJson &set) {
  sets_[set.value("name", "")] = &set;
}

const NftElementMap *NftSets::Elements(const NftJson &set) {
  const absl::StatusOr<const NftElementSet *> read =
      elements_->Of(NameOf(set), dynamic_.contains(set.value("name", "")));
  if (!read.ok()) {
    unread_.emplace_back(read.status().message());
    return nullptr;
  }
  const auto is_odd = [](const auto &item) { return item.second.is_odd; };
  if ((*read)->may_be_odd && std::ranges::any_of((*read)->elements, is_odd)) return nullptr;
  return &(*read)->elements;
}

// Of a list without elements, nft is asked for the one set.
const NftJson *NftSets::InList(const NftJson &set) {
  if (elements_ == nullptr) return &set;
  const std::string family = set.value("family", ""), table = set.value("table", ""),
                    name = set.value("name", ""), kind = set.contains("map") ? "map" : "set";
  const absl::StatusOr<std::string> text =
      ListNft(absl::StrCat("list ", kind, " ", family, " ", table, " ", name), true);
  const NftJson list =
      text.ok() ? NftJson::parse(*text, nullptr, false) : NftJson(NftJson::value_t::discarded);
  if (list.is_object() && list.contains("nftables"))
    for (const NftJson &item : list["nftables"])
      if (const auto found = item.find(kind); found != item.end()) return &(listed_[name] = *found);
  unread_.push_back(absl::StrCat("list nft's ", kind, " ", table, " ", name, ": ",
                                 text.ok() ? "no such list" : text.status().message()));
  return nullptr;
}

std::shared_ptr<const NfBoxes> NftSets::BoxesOf(const NftJson &set, const std::string &name,
                                                const std::vector<NfKey> &keys) {
  std::optional<NfBoxes> boxes;
  const NftElementMap *elements = nullptr;
  if (IsLimited(set) || (elements_ != nullptr && (elements = Elements(set)) == nullptr))
    return nullptr;
  if (const auto shape = NftShapeOf(set); shape && elements != nullptr) {
    if (shape->types.size() == keys.size()) boxes = srcsel::BoxesOf(*elements, *shape, name);
  } else if (const NftJson *list = InList(set); list != nullptr) {
    const NftJson *in_list = ElementsIn(*list);
    boxes = in_list == nullptr ? NfBoxes() : NftBoxesOf(keys, *in_list);
    if (boxes) boxes = Joined(*std::move(boxes), name);
  }
  return boxes ? std::make_shared<const NfBoxes>(*std::move(boxes)) : nullptr;
}

std::shared_ptr<const std::vector<NfCase>> NftSets::CasesOf(const NftJson &map,
                                                            const std::string &name,
                                                            const std::vector<NfKey> &keys) {
  const NftElementMap *elements = nullptr;
  if (IsLimited(map) || (elements_ != nullptr && (elements = Elements(map)) == nullptr))
    return nullptr;
  if (const auto shape = NftShapeOf(map); shape && elements != nullptr && !keys.empty()) {
    if (shape->types.size() != keys.size()) return nullptr;
    auto cases = srcsel::CasesOf(*elements, *shape, name);
    return cases ? std::make_shared<const std::vector<NfCase>>(*std::move(cases)) : nullptr;
  }
  const NftJson *list = InList(map);
  if (list == nullptr) return nullptr;
  const NftJson *in_list = ElementsIn(*list);
  return in_list == nullptr ? std::make_shared<const std::vector<NfCase>>()
                            : NftCasesOf(*in_list, keys, name);
}

std::shared_ptr<const NfBoxes> NftSets::Boxes(const std::string &name,
                                              const std::vector<NfKey> &keys) {
  const auto set = sets_.find(name);
  if (set == sets_.end()) return nullptr;
  const auto [known, is_new] = boxes_.try_emplace(Signature(name, keys));
  if (is_new) known->second = BoxesOf(*set->second, name, keys);
  return known->second;
}

std::shared_ptr<const std::vector<NfCase>> NftSets::Cases(const std::string &name,
                                                          const std::vector<NfKey> &keys) {
  const auto map = sets_.find(name);
  if (map == sets_.end()) return nullptr;
  const auto [known, is_new] = cases_.try_emplace(Signature(name, keys));
  if (is_new) known->second = CasesOf(*map->second, name, keys);
  return known->second;
}

std::optional<NfVerdict> NftVerdictOf(const NftJson &json) {
  if (!json.is_object() || json.size() != 1) return std::nullopt;
  const std::string &kind = json.begin().key();
  const NftJson &value = json.begin().value();
  if (kind == "accept") return NfVerdict{NfVerdictKind::kAccept};
  if (kind == "drop" || kind == "reject") return NfVerdict{NfVerdictKind::kDrop};
  if (kind == "return") return NfVerdict{NfVerdictKind::kReturn};
  if (kind == "jump" || kind == "goto")
    return NfVerdict{kind == "jump" ? NfVerdictKind::kJump : NfVerdictKind::kGoto,
                     value.value("target", "")};
  return std::nullopt;
}

std::shared_ptr<const std::vector<NfCase>> NftCasesOf(const NftJson &elements,
                                                      const std::vector<NfKey> &keys,
                                                      const std::string &name) {
  std::vector<NfCase> cases;
  std::map<std::string, std::size_t> by_data;
  for (const NftJson &element : elements) {
    if (!element.is_array() || element.size() != 2) return nullptr;
    std::optional<NfBoxes> boxes =
        keys.empty() ? std::optional<NfBoxes>(NfBoxes()) : NftBoxesOf(keys, element[0]);
    const auto then = ThenOf(element[1]);
    if (!boxes || !then) return nullptr;
    const auto [found, is_new] = by_data.try_emplace(element[1].dump(), cases.size());
    if (is_new) cases.push_back({{}, *then});
    std::ranges::move(*boxes, std::back_inserter(cases[found->second].boxes));
  }
  for (NfCase &one : cases) one.boxes = Joined(std::move(one.boxes), name);
  return std::make_shared<const std::vector<NfCase>>(std::move(cases));
}

}  // namespace srcsel
