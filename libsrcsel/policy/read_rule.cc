#include "policy/read_rule.hh"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "policy/nearest.hh"
#include "policy/table_reader.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

struct RuleTable {
  Definitions &definitions;
  PolicyRule rule = {};
  // Lines of keys that were said, 0: not said.
  std::uint32_t mark = 0, lookup = 0, source = 0, ports = 0, apply = 0;
  bool has_unknown = false;  // a key, which may be meant for one of these
};

template <typename T>
std::string Undefined(absl::string_view kind, absl::string_view name, const T &defined) {
  std::vector<absl::string_view> names;
  names.reserve(defined.size());
  for (const auto &[known, definition] : defined) names.push_back(known);
  const absl::string_view nearest = Nearest(name, names);
  return absl::StrCat("no [", kind, ".", name, "] is defined",
                      nearest.empty() ? "" : absl::StrCat("; [", kind, ".", nearest, "] is"));
}

// Takes what is defined under the name; says so if nothing is.
template <typename T>
std::shared_ptr<const T> Use(absl::string_view kind, absl::string_view name,
                             std::map<std::string, Definition<T>, std::less<>> &defined,
                             std::uint32_t line, KeyReader &key) {
  const auto found = defined.find(std::string(name));
  if (found == defined.end()) {
    key.Error(line, Undefined(kind, name, defined));
    return nullptr;
  }
  found->second.used = true;
  return found->second.value;
}

void ReadTo(KeyReader &key, RuleTable &table) {
  for (const KeyReader::Item &item : key.Words(Integers::kRefused)) {
    absl::string_view name = item.text;
    if (!absl::ConsumePrefix(&name, "@")) {
      if (const auto prefix = key.Parsed(item, PrefixOfWord)) table.rule.to.push_back(*prefix);
    } else if (auto set = Use("set", name, table.definitions.sets, item.line, key)) {
      table.rule.sets.push_back(std::move(set));
    }
  }
}

void ReadIpproto(KeyReader &key, RuleTable &table) {
  table.rule.protos = key.Many(ProtocolOfWord, Integers::kAccepted);
}
void ReadDport(KeyReader &key, RuleTable &table) {
  table.rule.dports = key.Many(PortsOfWord, Integers::kAccepted);
}
void ReadUidrange(KeyReader &key, RuleTable &table) {
  table.rule.uids = key.Many(UsersOfWord, Integers::kAccepted);
}
void ReadGid(KeyReader &key, RuleTable &table) {
  table.rule.gids = key.Many(GroupsOfWord, Integers::kAccepted);
}
void ReadClassid(KeyReader &key, RuleTable &table) {
  table.rule.classids = key.Many(ClassesOfWord, Integers::kAccepted);
}
void ReadCgroup(KeyReader &key, RuleTable &table) {
  table.rule.cgroups = key.Many(CgroupOfWord, Integers::kRefused);
}
void ReadComm(KeyReader &key, RuleTable &table) {
  table.rule.comms = key.Many(CommOfWord, Integers::kRefused);
}
void ReadIfMark(KeyReader &key, RuleTable &table) {
  table.rule.marks = key.Many(IfMarkOfWord, Integers::kAccepted);
}

void ReadMark(KeyReader &key, RuleTable &table) {
  table.mark = key.line();
  table.rule.mark = key.One(MarkOfWord, Integers::kAccepted);
}
void ReadLookup(KeyReader &key, RuleTable &table) {
  table.lookup = key.line();
  table.rule.lookup = key.One(TableOfWord, Integers::kAccepted);
}
void ReadPorts(KeyReader &key, RuleTable &table) {
  table.ports = key.line();
  table.rule.ports = key.One(PortsOfWord, Integers::kAccepted);
}
void ReadApply(KeyReader &key, RuleTable &table) {
  if (const auto choice = key.Choice({"mark", "bind"})) {
    table.apply = key.line();
    table.rule.apply = static_cast<Apply>(*choice);
  }
}
void ReadOnFail(KeyReader &key, RuleTable &table) {
  if (const auto choice = key.Choice({"kernel", "reject"}))
    table.rule.on_fail = static_cast<OnFail>(*choice);
}

void ReadSource(KeyReader &key, RuleTable &table) {
  table.source = key.line();
  const std::vector<KeyReader::Item> items = key.Words(Integers::kRefused);
  bool good = true;
  if (items.size() == 1 && items[0].text == kKernelWord) {
    table.rule.leave = true;
    return;
  }
  for (const KeyReader::Item &item : items) {
    absl::string_view name = item.text;
    if (!absl::ConsumePrefix(&name, "pool ")) {
      const absl::StatusOr<Source> source =
          SourceOfWord(item.text, R"( nor "pool NAME" nor "kernel")");
      good &= source.ok();
      if (source.ok())
        table.rule.sources.push_back(*source);
      else
        key.Error(item.line, source.status().message());
    } else if (items.size() > 1) {
      key.Error(item.line, absl::StrCat("'", item.text, "' is in a list; a pool stands alone"));
    } else {
      table.rule.pool = Use("pool", name, table.definitions.pools, item.line, key);
    }
  }
  if (const absl::Status together = CheckTogether(table.rule.sources); good && !together.ok())
    key.Error(together.message());
}

constexpr TableKey<RuleTable> kRuleKeys[] = {{"to", ReadTo},          {"ipproto", ReadIpproto},
                                             {"dport", ReadDport},    {"uidrange", ReadUidrange},
                                             {"gid", ReadGid},        {"classid", ReadClassid},
                                             {"cgroup", ReadCgroup},  {"comm", ReadComm},
                                             {"if-mark", ReadIfMark}, {"mark", ReadMark},
                                             {"lookup", ReadLookup},  {"source", ReadSource},
                                             {"ports", ReadPorts},    {"apply", ReadApply},
                                             {"on-fail", ReadOnFail}};

constexpr KeyAlias kRuleAliases[] = {
    {"fwmark", "'mark' sets a mark, 'if-mark' selects sockets that have one"},
    {"table", "'lookup' is"},
    {"from", "'source' is"},
    {"src", "'source' is"},
    {"dev", "source = \"dev ...\" is"},
    {"oif", "source = \"dev ...\" is"},
    {"pool", "source = \"pool ...\" is"},
    {"set", "to = \"@...\" is"},
    {"dst", "'to' is"},
    {"sport", "'ports' is"},
    {"port", "'dport' is, and 'ports' for local ones"},
    {"proto", "'ipproto' is"},
    {"protocol", "'ipproto' is"},
    {"uid", "'uidrange' is"},
    {"user", "'uidrange' is"},
    {"gidrange", "'gid' is"},
    {"group", "'gid' is"},
    {"net_cls", "'classid' is"},
    {"include", "it stands above the first table of the file"}};

// What the keys say together.
void CheckRule(const RuleTable &table, const Place &place, Findings &findings) {
  const auto error = [&](std::uint32_t line, absl::string_view key, std::string message) {
    findings.push_back(
        {Severity::kError, {place.file, line}, std::string(key), std::move(message)});
  };
  if (!table.has_unknown && table.mark == 0 && table.lookup == 0 && table.source == 0 &&
      table.ports == 0)
    error(place.line, "rule", "does nothing; say mark, lookup, source or ports");
  if (table.mark != 0 && table.lookup != 0)
    error(table.lookup, "rule.lookup",
          "excludes mark: it stands for the mark of the ip rule that leads to the table");
  if (table.rule.leave && (table.mark != 0 || table.lookup != 0 || table.ports != 0))
    error(table.source, "rule.source",
          "\"kernel\" leaves flows alone: it excludes mark, lookup and ports");
  if (table.rule.apply != Apply::kBind) return;
  if (table.mark == 0 && table.lookup == 0)
    error(table.apply, "rule.apply",
          "\"bind\" takes the source that the tables give for a mark; say mark or lookup too");
  if (table.source != 0)
    error(table.source, "rule.source",
          "is excluded by apply = \"bind\", which takes the source from the tables");
}

}  // namespace

PolicyRule ReadRule(const TomlValue &value, const std::string &file, Definitions &definitions,
                    Findings &findings) {
  const Place place{file, value.line};
  RuleTable table{definitions};
  table.rule.name = place.ToString();
  ReadTable<RuleTable>(*value.As<TomlTable>(), "rule", file, kRuleKeys, kRuleAliases, findings,
                       table);
  table.has_unknown = std::ranges::any_of(*value.As<TomlTable>(), [](const TomlEntry &entry) {
    return std::ranges::find(kRuleKeys, entry.key, &TableKey<RuleTable>::name) ==
           std::end(kRuleKeys);
  });
  CheckRule(table, place, findings);
  return std::move(table.rule);
}

}  // namespace srcsel
