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
#include "netfilter/nft_rules.hh"
#include "netfilter/run_program.hh"

namespace srcsel {
namespace {

std::string SaveProgram(int family, NfOrigin origin) {
  return absl::StrCat(family == AF_INET ? "iptables" : "ip6tables",
                      origin == NfOrigin::kIptablesLegacy ? "-legacy" : "-nft", "-save");
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

// Only what has such tables may be iptables'.
bool RuleReader::MayHaveIptables() const {
  constexpr absl::string_view kTables[] = {"raw", "mangle", "nat", "filter", "security"};
  const auto list = nft_.find("nftables");
  return list != nft_.end() && std::ranges::any_of(*list, [&](const NftJson &item) {
           const auto table = item.find("table");
           return table != item.end() &&
                  std::ranges::find(kTables, table->value("name", "")) != std::end(kTables);
         });
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
  const bool may_have_iptables = unread_nft_.ok() && MayHaveIptables();
  for (int family : {AF_INET, AF_INET6}) {
    ReadLegacy(family);
    const std::string program = SaveProgram(family, NfOrigin::kIptablesNft);
    if (may_have_iptables)
      saved_.push_back({NfOrigin::kIptablesNft, family, program, RunProgram({program})});
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

bool RuleReader::PollSets() {
  const bool of_nft = elements_ && elements_->ForgetDynamic();
  return ip_sets_.Poll() || of_nft;
}

NfRuleSet ReadRules() {
  return RuleReader().Read();
}

}  // namespace srcsel
