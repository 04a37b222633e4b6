#include "policy/read_policy.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/definitions.hh"
#include "policy/read_pool.hh"
#include "policy/read_rule.hh"
#include "policy/read_set.hh"
#include "policy/shadows.hh"
#include "policy/table_reader.hh"
#include "policy/text_file.hh"
#include "policy/toml.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

constexpr std::size_t kLargestPolicy = std::size_t{4} << 20;

struct PolicyTable {
  const std::string &file;
  Findings &findings;
  Definitions definitions = {};
  // Read when all definitions are known.
  const TomlArray *rules = nullptr;
};

// The tables of [kind.NAME], each as read() makes it.
template <typename T>
void ReadDefinitions(KeyReader &key, PolicyTable &policy,
                     std::map<std::string, Definition<T>, std::less<>> &definitions,
                     std::shared_ptr<const T> (*read)(const TomlEntry &, const std::string &,
                                                      Findings &)) {
  const auto *tables = key.value().As<TomlTable>();
  if (tables == nullptr) return key.WrongType(key.value(), "a table for each name");
  for (const TomlEntry &entry : *tables)
    definitions[entry.key] = {entry.line, read(entry, policy.file, policy.findings)};
}

void ReadSets(KeyReader &key, PolicyTable &policy) {
  ReadDefinitions(key, policy, policy.definitions.sets, ReadSet);
}
void ReadPools(KeyReader &key, PolicyTable &policy) {
  ReadDefinitions(key, policy, policy.definitions.pools, ReadPool);
}

void FindRules(KeyReader &key, PolicyTable &policy) {
  if (key.value().As<TomlTable>() != nullptr)
    return key.Error("is one table; rules are a list: write [[rule]]");
  const auto *rules = key.value().As<TomlArray>();
  if (rules == nullptr) return key.WrongType(key.value(), "a list of tables, each a [[rule]],");
  policy.rules = rules;
  for (const TomlValue &rule : *rules)
    if (rule.As<TomlTable>() == nullptr) key.WrongType(rule, "a table, [[rule]],");
}

constexpr TableKey<PolicyTable> kPolicyKeys[] = {
    {"set", ReadSets}, {"pool", ReadPools}, {"rule", FindRules}};
constexpr KeyAlias kPolicyAliases[] = {
    {"rules", "[[rule]] is"}, {"sets", "[set.NAME] is"}, {"pools", "[pool.NAME] is"}};

template <typename T>
void ReportUnused(absl::string_view kind, const T &definitions, PolicyTable &policy) {
  for (const auto &[name, definition] : definitions)
    if (!definition.used)
      policy.findings.push_back({Severity::kWarning,
                                 {policy.file, definition.line},
                                 absl::StrCat(kind, ".", name),
                                 "no rule uses it"});
}

// The policy's own by line, then those of the sets' files as they were read.
void Sort(Findings &findings, const std::string &file) {
  std::ranges::stable_sort(findings, {}, [&](const Finding &finding) {
    const bool own = finding.place.file == file;
    return std::pair(!own, own ? finding.place.line : 0);
  });
}

void NoteKeys(const TomlValue &rule, PolicyFile &file) {
  for (const TomlEntry &entry : *rule.As<TomlTable>())
    file.key_lines.try_emplace({rule.line, absl::StrCat("rule.", entry.key)}, entry.line);
}

void ReadRules(PolicyTable &table, PolicyFile &file) {
  Policy &policy = file.policy;
  if (table.rules == nullptr || table.rules->empty()) {
    table.findings.push_back({Severity::kWarning, {table.file, 0}, "", "has no [[rule]]"});
    return;
  }
  for (const TomlValue &rule : *table.rules) {
    if (rule.As<TomlTable>() == nullptr) continue;
    policy.rules.push_back(ReadRule(rule, table.file, table.definitions, table.findings));
    NoteKeys(rule, file);
  }
  if (policy.rules.size() > SRCSEL_MAX_POLICY)
    table.findings.push_back({Severity::kError,
                              {table.file, (*table.rules)[SRCSEL_MAX_POLICY].line},
                              "rule",
                              absl::StrCat("is one of ", policy.rules.size(), "; ",
                                           SRCSEL_MAX_POLICY, " are accepted")});
}

}  // namespace

void PolicyFile::PlaceAtKeys(Findings &at_rules) const {
  for (Finding &finding : at_rules) {
    const auto found = key_lines.find({finding.place.line, finding.key});
    if (found != key_lines.end()) finding.place.line = found->second;
  }
}

PolicyFile ReadPolicy(const std::string &file) {
  const absl::StatusOr<std::string> text = ReadTextFile(file, kLargestPolicy);
  if (text.ok()) return ReadPolicyText(*text, file);
  return {{}, {{Severity::kError, {file, 0}, "", std::string(text.status().message())}}, {}};
}

PolicyFile ReadPolicyText(absl::string_view text, const std::string &file) {
  PolicyFile result;
  const std::variant<TomlTable, TomlMistake> document = ReadToml(text);
  if (const auto *mistake = std::get_if<TomlMistake>(&document)) {
    result.findings.push_back({Severity::kError,
                               {file, mistake->line},
                               "",
                               absl::StrCat("is not TOML: ", mistake->what)});
    return result;
  }
  PolicyTable table{file, result.findings};
  ReadTable<PolicyTable>(std::get<TomlTable>(document), "", file, kPolicyKeys, kPolicyAliases,
                         result.findings, table);
  ReadRules(table, result);
  ReportUnused("set", table.definitions.sets, table);
  ReportUnused("pool", table.definitions.pools, table);
  if (!HasErrors(result.findings)) ReportShadowed(result.policy, result.findings);
  Sort(result.findings, file);
  return result;
}

}  // namespace srcsel
