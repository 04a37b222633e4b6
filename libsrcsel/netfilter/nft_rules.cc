#include "netfilter/nft_rules.hh"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "netfilter/nft_steps.hh"
#include "netfilter/nft_values.hh"

namespace srcsel {
namespace {

std::string Text(const NftJson &json, const char *key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string TableName(const NftJson &object, const char *table) {
  return absl::StrCat(Text(object, "family"), " ", Text(object, table));
}

bool Translates(const NftJson &rule) {
  return std::ranges::any_of(rule["expr"], [](const NftJson &statement) {
    return statement.contains("masquerade") || statement.contains("snat");
  });
}

bool Marks(const NftJson &rule) {
  return std::ranges::any_of(rule["expr"], [](const NftJson &statement) {
    const auto mangle = statement.find("mangle");
    return mangle != statement.end() &&
           mangle->value(NftJson::json_pointer("/key/meta/key"), std::string()) == "mark";
  });
}

class Reader {
 public:
  Reader(const std::set<std::string> &of_iptables, NftElements *elements, NfRuleSet &rules)
      : of_iptables_(of_iptables), elements_(elements), rules_(rules) {}

  // Rules name sets and chains that may come later in the list.
  void Read(const NftJson &list) {
    for (const NftJson &item : list)
      for (const auto &[kind, object] : item.items()) {
        if (kind == "table") AddTable(object);
        if (kind == "set" || kind == "map") SetsOf(TableName(object, "table")).Add(object);
      }
    for (const NftJson &item : list)
      if (const auto chain = item.find("chain"); chain != item.end()) AddChain(*chain);
    for (const NftJson &item : list)
      if (const auto rule = item.find("rule"); rule != item.end()) FindDynamicSets(*rule);
    for (const NftJson &item : list)
      if (const auto rule = item.find("rule"); rule != item.end()) AddRule(*rule);
    for (auto &[name, table] : tables_) rules_.tables.push_back(std::move(table));
    for (const auto &[name, sets] : sets_)
      std::ranges::copy(sets.unread(), std::back_inserter(rules_.unread_sets));
  }

 private:
  NftSets &SetsOf(const std::string &table) {
    return sets_.try_emplace(table, elements_).first->second;
  }

  void AddTable(const NftJson &object) {
    const std::string family = Text(object, "family"), name = TableName(object, "name");
    const bool v4 = family == "ip" || family == "inet", v6 = family == "ip6" || family == "inet";
    if ((!v4 && !v6) || of_iptables_.contains(name)) return;
    const auto flags = object.find("flags");
    if (flags != object.end() && absl::StrContains(flags->dump(), "dormant")) return;
    tables_[name] = NfTable{NfOrigin::kNft, v4, v6, name, {}};
  }

  NfTable *TableOf(const NftJson &object) {
    const auto found = tables_.find(TableName(object, "table"));
    return found == tables_.end() ? nullptr : &found->second;
  }

  void AddChain(const NftJson &object) {
    NfTable *table = TableOf(object);
    if (table == nullptr) return;
    const std::string hook = Text(object, "hook"), name = Text(object, "name");
    if (hook == "postrouting") postrouting_.insert({table, name});
    if (hook == "prerouting") prerouting_.insert({table, name});
    if (!hook.empty() && hook != "output") return;
    NfChain &chain = table->chains[name];
    chain.order = object.value("handle", std::uint64_t{0});
    if (hook.empty()) return;
    const std::string type = Text(object, "type");
    chain.hook = type == "route" ? NfHook::kRoute : type == "nat" ? NfHook::kNat : NfHook::kFilter;
    chain.priority = object.value("prio", 0);
    chain.drops = Text(object, "policy") == "drop";
  }

  // `add @s { ... }` and `update @s { ... }`, in any chain.
  void FindDynamicSets(const NftJson &rule) {
    const auto statements = rule.find("expr");
    if (statements == rule.end()) return;
    for (const NftJson &statement : *statements)
      for (const char *kind : {"set", "map"})
        if (statement.is_object() && statement.contains(kind) && statement[kind].is_object())
          if (const std::string name = Text(statement[kind], kind); name.size() > 1)
            SetsOf(TableName(rule, "table")).AddDynamic(name.substr(1));
  }

  void AddRule(const NftJson &object) {
    NfTable *table = TableOf(object);
    if (table == nullptr || !object.contains("expr")) return;
    const std::string chain = Text(object, "chain"), comment = Text(object, "comment");
    std::string name =
        absl::StrCat(table->name, " ", chain, " handle ", object.value("handle", std::uint64_t{0}));
    const std::string removal = absl::StrCat("nft delete rule ", name);
    if (!comment.empty()) absl::StrAppend(&name, " (", comment, ")");
    if (postrouting_.contains({table, chain}) && Translates(object))
      rules_.source_nats.push_back({name, table->v4, table->v6, removal});
    if (prerouting_.contains({table, chain}) && Marks(object)) rules_.arrival_marks.push_back(name);
    const auto found = table->chains.find(chain);
    if (found == table->chains.end()) return;
    NfRule rule{std::move(name), {}};
    for (const NftJson &statement : object["expr"])
      AddNftSteps(statement, SetsOf(table->name), rule.steps);
    found->second.rules.push_back(std::move(rule));
  }

  const std::set<std::string> &of_iptables_;
  NftElements *elements_;
  NfRuleSet &rules_;
  std::map<std::string, NfTable> tables_;
  std::map<std::string, NftSets> sets_;
  std::set<std::pair<const NfTable *, std::string>> postrouting_, prerouting_;
};

}  // namespace

absl::Status AddNftRules(const NftJson &document, const std::set<std::string> &of_iptables,
                         NftElements *elements, NfRuleSet &rules) {
  try {
    Reader(of_iptables, elements, rules).Read(document.at("nftables"));
    return absl::OkStatus();
  } catch (const NftJson::exception &error) {
    return absl::InvalidArgumentError(absl::StrCat("read nft's JSON: ", error.what()));
  }
}

absl::Status AddNftRules(absl::string_view json, const std::set<std::string> &of_iptables,
                         NfRuleSet &rules) {
  const NftJson document = NftJson::parse(json.begin(), json.end(), nullptr, false);
  if (document.is_discarded()) return absl::InvalidArgumentError("read nft's JSON: it is none");
  return AddNftRules(document, of_iptables, nullptr, rules);
}

}  // namespace srcsel
