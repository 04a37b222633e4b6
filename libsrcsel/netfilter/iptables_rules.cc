#include "netfilter/iptables_rules.hh"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "netfilter/iptables_line.hh"
#include "netfilter/iptables_steps.hh"

namespace srcsel {
namespace {

struct Builtin {
  absl::string_view table;
  NfHook hook;
  std::int32_t priority;
};
constexpr Builtin kBuiltins[] = {{"raw", NfHook::kFilter, -300},
                                 {"mangle", NfHook::kRoute, -150},
                                 {"nat", NfHook::kNat, -100},
                                 {"filter", NfHook::kFilter, 0},
                                 {"security", NfHook::kFilter, 50}};
constexpr absl::string_view kOtherHooks[] = {"PREROUTING", "INPUT", "FORWARD", "POSTROUTING"};

bool Marks(const IptablesPart &target) {
  return target.name == "MARK" || (target.name == "CONNMARK" &&
                                   std::ranges::find(target.options, "--restore-mark",
                                                     &IptablesOption::key) != target.options.end());
}

class Reader {
 public:
  Reader(NfOrigin origin, int family, IpSets &sets, NfRuleSet &rules)
      : program_(absl::StrCat(family == AF_INET ? "iptables" : "ip6tables",
                              origin == NfOrigin::kIptablesLegacy ? "-legacy" : "")),
        origin_(origin),
        family_(family),
        sets_(sets),
        rules_(rules) {}

  std::vector<std::string> Read(absl::string_view saved) {
    std::size_t number = 0;
    for (absl::string_view line : absl::StrSplit(saved, '\n')) {
      ++number;
      absl::ConsumeSuffix(&line, "\r");
      if (line.empty() || line[0] == '#') continue;
      if (!Take(line)) {
        rules_.skipped.push_back(
            absl::StrCat(program_, "-save: line ", number, " is not understood: ", line));
        Poison(absl::StrCat("line ", number, " of ", program_, "-save is not understood"));
      }
    }
    if (open_) {
      rules_.skipped.push_back(absl::StrCat(program_, "-save: ends within table ", name_));
      Poison(absl::StrCat("the list of ", program_, "-save is cut off"));
      Close();
    }
    return std::move(seen_);
  }

 private:
  bool Take(absl::string_view line) {
    if (line[0] == '*') return Open(line.substr(1));
    if (!open_) return false;
    if (line == "COMMIT") return Close();
    if (line[0] == ':') return AddChain(line.substr(1));
    if (line[0] == '[') line.remove_prefix(std::min(line.find("] "), line.size() - 2) + 2);
    return AddRule(line);
  }

  bool Open(absl::string_view name) {
    const auto *builtin = std::ranges::find(kBuiltins, name, &Builtin::table);
    if (open_ || builtin == std::end(kBuiltins)) return false;
    name_ = std::string(name);
    table_ = NfTable{
        origin_, family_ == AF_INET, family_ == AF_INET6, absl::StrCat(program_, " ", name), {}};
    builtin_ = *builtin;
    names_.clear();
    lines_.clear();
    open_ = true;
    return true;
  }

  bool AddChain(absl::string_view line) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words.size() < 2) return false;
    const std::string &name = words[0];
    if (std::ranges::find(kOtherHooks, name) != std::end(kOtherHooks)) {
      others_.insert(name);
      return true;
    }
    names_.insert(name);
    NfChain &chain = table_.chains[name];
    if (name != "OUTPUT") return true;
    chain.hook = builtin_.hook;
    chain.priority = builtin_.priority;
    chain.drops = words[1] == "DROP";
    return true;
  }

  bool AddRule(absl::string_view text) {
    const std::optional<IptablesLine> line = ParseIptablesLine(text);
    if (!line) return false;
    const IptablesPart &target = line->parts.back();
    if (name_ == "nat" && (target.name == "MASQUERADE" || target.name == "SNAT"))
      rules_.source_nats.push_back(
          {absl::StrCat(table_.name, ": ", text), family_ == AF_INET, family_ == AF_INET6,
           absl::StrCat(program_, origin_ == NfOrigin::kIptablesLegacy ? "" : "-nft", " -t nat -D",
                        absl::StripPrefix(text, "-A"))});
    if (line->chain == "PREROUTING" && Marks(target))
      rules_.arrival_marks.push_back(absl::StrCat(table_.name, ": ", text));
    if (others_.contains(line->chain)) return true;
    const auto chain = table_.chains.find(line->chain);
    if (chain == table_.chains.end()) return false;
    chain->second.rules.push_back({absl::StrCat(table_.name, ": ", text), {}});
    lines_.push_back({line->chain, chain->second.rules.size() - 1, *line});
    return true;
  }

  // All packets that come to the table are unknown.
  void Poison(const std::string &why) {
    if (!open_) {
      name_ = "mangle";
      table_ = NfTable{origin_, family_ == AF_INET, family_ == AF_INET6, program_, {}};
      builtin_ = kBuiltins[1];
      names_.clear();
      lines_.clear();
    }
    poison_ = why;
    if (!open_) Close();
  }

  bool Close() {
    for (const Line &line : lines_)
      table_.chains.find(line.chain)->second.rules[line.rule].steps =
          IptablesSteps(line.line, family_, names_, sets_);
    if (!poison_.empty()) {
      NfChain &output = table_.chains["OUTPUT"];
      output.hook = builtin_.hook;
      output.priority = builtin_.priority;
      output.rules.insert(output.rules.begin(),
                          {table_.name, {NfUnknownStatement{std::exchange(poison_, "")}}});
    }
    rules_.tables.push_back(std::move(table_));
    seen_.push_back(name_);
    open_ = false;
    return true;
  }

  struct Line {
    std::string chain;
    std::size_t rule;
    IptablesLine line;
  };

  const std::string program_;
  const NfOrigin origin_;
  const int family_;
  IpSets &sets_;
  NfRuleSet &rules_;
  std::vector<std::string> seen_;
  bool open_ = false;
  std::string name_, poison_;
  NfTable table_;
  Builtin builtin_{};
  std::set<std::string> names_, others_;
  std::vector<Line> lines_;
};

}  // namespace

std::vector<std::string> AddIptablesRules(absl::string_view saved, NfOrigin origin, int family,
                                          IpSets &sets, NfRuleSet &rules) {
  return Reader(origin, family, sets, rules).Read(saved);
}

}  // namespace srcsel
