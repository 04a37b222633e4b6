#include "netfilter/read_rules.hh"

#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "netfilter/iptables_rules.hh"
#include "netfilter/legacy_tables.hh"
#include "netfilter/list_nft.hh"
#include "netfilter/nft_cgroups.hh"
#include "netfilter/nft_rule_list.hh"
#include "netfilter/nft_rules.hh"
#include "netfilter/run_program.hh"

namespace srcsel {
namespace {

std::string SaveProgram(int family, NfOrigin origin) {
  return absl::StrCat(family == AF_INET ? "iptables" : "ip6tables",
                      origin == NfOrigin::kIptablesLegacy ? "-legacy" : "-nft", "-save");
}

// A table that may be iptables' by its name; `is_opaque`: has rules that nft's list does not show.
struct NamedTable {
  std::string name;
  bool is_opaque = false;
};

std::vector<NamedTable> TablesOfIptables(const NftJson &nft, int family) {
  constexpr absl::string_view kTables[] = {"raw", "mangle", "nat", "filter", "security"};
  const std::string of_family = family == AF_INET ? "ip" : "ip6";
  std::vector<NamedTable> tables;
  const auto list = nft.find("nftables");
  if (list == nft.end()) return tables;
  for (const NftJson &item : *list) {
    const auto table = item.find("table"), rule = item.find("rule");
    if (table != item.end() && table->value("family", "") == of_family &&
        std::ranges::find(kTables, table->value("name", "")) != std::end(kTables))
      tables.push_back({table->value("name", "")});
    if (rule == item.end() || rule->value("family", "") != of_family) continue;
    const auto of = std::ranges::find(tables, rule->value("table", ""), &NamedTable::name);
    const auto expr = rule->find("expr");
    if (of != tables.end() && expr != rule->end())
      of->is_opaque |= std::ranges::any_of(
          *expr, [](const NftJson &one) { return one.is_object() && one.contains("xt"); });
  }
  return tables;
}

// Of what could not be read, nobody knows which packets it marks.
void AddUnreadTable(const std::string &what, int family, NfOrigin origin, NfRuleSet &rules) {
  NfTable table{origin, family == AF_INET, family == AF_INET6, what, {}};
  NfChain &output = table.chains["OUTPUT"];
  output.hook = NfHook::kRoute;
  output.priority = -150;
  output.rules.push_back({what, {NfUnknownStatement{"could not be read"}}});
  rules.tables.push_back(std::move(table));
}

}  // namespace

void RuleReader::ReadLegacy(int family) {
  const absl::StatusOr<std::vector<std::string>> tables = LegacyTables(family);
  if (!tables.ok()) skipped_.emplace_back(tables.status().message());
  if (!tables.ok() || tables->empty()) return;
  const std::string program = SaveProgram(family, NfOrigin::kIptablesLegacy);
  saved_.push_back({NfOrigin::kIptablesLegacy, family, program, RunProgram({program})});
}

// One table that iptables did not make, but nft, fails its program for all. Such a one is
// understood by nft's list.
void RuleReader::ReadOfNft(int family) {
  const std::vector<NamedTable> tables = TablesOfIptables(nft_, family);
  if (tables.empty()) return;
  const std::string program = SaveProgram(family, NfOrigin::kIptablesNft);
  const auto keep = [&](absl::StatusOr<std::string> text) {
    saved_.push_back({NfOrigin::kIptablesNft, family, program, std::move(text)});
  };
  absl::StatusOr<std::string> all = RunProgram({program});
  if (all.ok()) return keep(std::move(all));
  for (const NamedTable &table : tables) {
    absl::StatusOr<std::string> one = RunProgram({program, "-t", table.name});
    if (one.ok() || table.is_opaque) keep(std::move(one));
  }
}

// Of what nft has printed.
void RuleReader::CompleteNft() {
  if (!unread_nft_.ok()) return;
  const absl::StatusOr<std::vector<NftKernelRule>> rules = DumpNftRules();
  unread_nft_ = rules.status();
  if (!rules.ok()) return;
  AddUnprintedRules(*rules, nft_);
  SettleNftCgroups(*rules, nft_);
}

NfRuleSet RuleReader::Read() {
  saved_.clear();
  ip_sets_ = {};
  skipped_.clear();
  nft_ = {};
  if (!elements_)
    if (absl::StatusOr<NftElements> elements = NftElements::Open(); elements.ok())
      elements_ = *std::move(elements);
  const absl::StatusOr<std::string> nft = ListNft("list ruleset", !elements_);
  unread_nft_ = nft.status();
  if (nft.ok()) nft_ = NftJson::parse(*nft, nullptr, false);
  if (nft_.is_discarded()) unread_nft_ = absl::InternalError("read nft's JSON: it is none");
  CompleteNft();
  for (int family : {AF_INET, AF_INET6}) {
    ReadLegacy(family);
    if (unread_nft_.ok()) ReadOfNft(family);
  }
  return Renew();
}

NfRuleSet RuleReader::Renew() {
  NfRuleSet rules;
  rules.skipped = skipped_;
  std::set<std::string> of_iptables;
  for (const Saved &saved : saved_) {
    if (!saved.text.ok()) {
      rules.skipped.emplace_back(saved.text.status().message());
      if (saved.origin == NfOrigin::kIptablesLegacy)
        AddUnreadTable(saved.program, saved.family, saved.origin, rules);
      continue;
    }
    for (const std::string &name :
         AddIptablesRules(*saved.text, saved.origin, saved.family, ip_sets_, rules))
      if (saved.origin == NfOrigin::kIptablesNft)
        of_iptables.insert(absl::StrCat(saved.family == AF_INET ? "ip " : "ip6 ", name));
  }
  absl::Status status = unread_nft_;
  if (status.ok()) status = AddNftRules(nft_, of_iptables, elements(), rules);
  if (status.ok()) return rules;
  rules.skipped.emplace_back(status.message());
  for (int family : {AF_INET, AF_INET6}) AddUnreadTable("nft", family, NfOrigin::kNft, rules);
  return rules;
}

bool RuleReader::failed() const {
  return !unread_nft_.ok() ||
         std::ranges::any_of(saved_, [](const Saved &saved) { return !saved.text.ok(); });
}

bool RuleReader::PollSets() {
  const bool of_nft = elements_ && elements_->ForgetDynamic();
  return ip_sets_.Poll() || of_nft;
}

NfRuleSet ReadRules() {
  return RuleReader().Read();
}

}  // namespace srcsel
