#include "netfilter/read_rules.hh"

#include <netinet/in.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "netfilter/iptables_rules.hh"
#include "netfilter/legacy_tables.hh"
#include "netfilter/list_nft.hh"
#include "netfilter/nft_rules.hh"
#include "netfilter/run_program.hh"

namespace srcsel {
namespace {

// Of what could not be read, nobody knows which packets it marks.
void AddUnreadTable(const std::string &what, int family, NfOrigin origin, NfRuleSet &rules) {
  NfTable table{origin, family == AF_INET, family == AF_INET6, what, {}};
  NfChain &output = table.chains["OUTPUT"];
  output.hook = NfHook::kRoute;
  output.priority = -150;
  output.rules.push_back({what, {NfUnknownStatement{"could not be read"}}});
  rules.tables.push_back(std::move(table));
}

// The names of the tables that the variant printed.
std::vector<std::string> ReadIptables(int family, NfOrigin origin, NfRuleSet &rules) {
  const bool legacy = origin == NfOrigin::kIptablesLegacy;
  const std::string program = absl::StrCat(family == AF_INET ? "iptables" : "ip6tables",
                                           legacy ? "-legacy" : "-nft", "-save");
  const absl::StatusOr<std::string> saved = RunProgram({program});
  if (saved.ok()) return AddIptablesRules(*saved, origin, family, rules);
  rules.skipped.push_back(std::string(saved.status().message()));
  if (legacy) AddUnreadTable(program, family, origin, rules);
  return {};
}

// Whether there is something to read.
bool HasLegacyTables(int family, NfRuleSet &rules) {
  const absl::StatusOr<std::vector<std::string>> tables = LegacyTables(family);
  if (!tables.ok()) rules.skipped.push_back(std::string(tables.status().message()));
  return tables.ok() && !tables->empty();
}

bool Names(const std::string &json, absl::string_view table) {
  return json.find(absl::StrCat("\"name\": \"", table, "\"")) != std::string::npos ||
         json.find(absl::StrCat("\"name\":\"", table, "\"")) != std::string::npos;
}

}  // namespace

NfRuleSet ReadRules() {
  NfRuleSet rules;
  std::set<std::string> of_iptables;
  const absl::StatusOr<std::string> nft = ListNft();
  for (int family : {AF_INET, AF_INET6}) {
    if (HasLegacyTables(family, rules)) ReadIptables(family, NfOrigin::kIptablesLegacy, rules);
    // Only what has such tables may be iptables'.
    constexpr absl::string_view kTables[] = {"raw", "mangle", "nat", "filter", "security"};
    if (!nft.ok() ||
        std::ranges::none_of(kTables, [&](absl::string_view t) { return Names(*nft, t); }))
      continue;
    for (const std::string &name : ReadIptables(family, NfOrigin::kIptablesNft, rules))
      of_iptables.insert(absl::StrCat(family == AF_INET ? "ip " : "ip6 ", name));
  }
  absl::Status status = nft.status();
  if (status.ok()) status = AddNftRules(*nft, of_iptables, rules);
  if (status.ok()) return rules;
  rules.skipped.push_back(std::string(status.message()));
  for (int family : {AF_INET, AF_INET6}) AddUnreadTable("nft", family, NfOrigin::kNft, rules);
  return rules;
}

}  // namespace srcsel
