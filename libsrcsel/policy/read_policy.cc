#include "policy/read_policy.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "policy/definitions.hh"
#include "policy/include.hh"
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

// One file of a policy. Its rules are read when the definitions of all files are known.
struct PolicyTable {
  std::string file;
  bool is_included;
  Definitions &definitions;
  Findings &findings;
  std::vector<std::string> includes = {};
  std::uint32_t include_line = 0;
  TomlTable document = {};
  const TomlArray *rules = nullptr;  // in the document
};

// The tables of [kind.NAME], each as read() makes it.
template <typename T>
void ReadDefinitions(KeyReader &key, PolicyTable &policy,
                     std::map<std::string, Definition<T>, std::less<>> &definitions,
                     std::shared_ptr<const T> (*read)(const TomlEntry &, const std::string &,
                                                      Findings &)) {
  const auto *tables = key.value().As<TomlTable>();
  if (tables == nullptr) return key.WrongType(key.value(), "a table for each name");
  for (const TomlEntry &entry : *tables) {
    Definition<T> definition{{policy.file, entry.line}, read(entry, policy.file, policy.findings)};
    const auto [known, is_new] = definitions.try_emplace(entry.key, std::move(definition));
    if (!is_new)
      policy.findings.push_back(
          {Severity::kError,
           {policy.file, entry.line},
           absl::StrCat(key.name(), ".", entry.key),
           absl::StrCat("is defined already, ", known->second.place.ToString())});
  }
}

void ReadSets(KeyReader &key, PolicyTable &policy) {
  ReadDefinitions(key, policy, policy.definitions.sets, ReadSet);
}
void ReadPools(KeyReader &key, PolicyTable &policy) {
  ReadDefinitions(key, policy, policy.definitions.pools, ReadPool);
}

void ReadInclude(KeyReader &key, PolicyTable &policy) {
  if (policy.is_included) return key.Error("is in a file that is itself included");
  const std::optional<std::string> pattern = key.Path();
  if (!pattern) return;
  if (pattern->empty() || pattern->back() == '/') return key.Error("names no file");
  absl::StatusOr<std::vector<std::string>> files = FilesNamed(*pattern);
  if (!files.ok()) return key.Error(files.status().message());
  if (std::ranges::find(*files, policy.file) != files->end())
    return key.Error(absl::StrCat(*pattern, " names this file itself"));
  policy.includes = *std::move(files);
  policy.include_line = key.line();
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
    {"include", ReadInclude}, {"set", ReadSets}, {"pool", ReadPools}, {"rule", FindRules}};
constexpr KeyAlias kPolicyAliases[] = {
    {"rules", "[[rule]] is"}, {"sets", "[set.NAME] is"}, {"pools", "[pool.NAME] is"}};

template <typename T>
void ReportUnused(absl::string_view kind, const T &definitions, Findings &findings) {
  for (const auto &[name, definition] : definitions)
    if (!definition.used)
      findings.push_back(
          {Severity::kWarning, definition.place, absl::StrCat(kind, ".", name), "no rule uses it"});
}

// The files of a policy, one after the other.
class PolicyReader {
 public:
  explicit PolicyReader(PolicyFile &into) : into_(into) {}

  void Read(absl::string_view text, const std::string &file) {
    into_.files = {file};
    size_ = text.size();
    if (ReadTables(text, {file, false, definitions_, into_.findings}) && ReadIncluded()) {
      ReadRules();
      ReportUnused("set", definitions_.sets, into_.findings);
      ReportUnused("pool", definitions_.pools, into_.findings);
      if (!HasErrors(into_.findings)) ReportShadowed(into_.policy, into_.findings);
    }
    SortByPlace(into_.findings, into_.files);
  }

 private:
  // False if it is no TOML.
  bool ReadTables(absl::string_view text, PolicyTable table) {
    std::variant<TomlTable, TomlMistake> document = ReadToml(text);
    if (const auto *mistake = std::get_if<TomlMistake>(&document))
      return Error({table.file, mistake->line}, absl::StrCat("is not TOML: ", mistake->what));
    table.document = std::get<TomlTable>(std::move(document));
    ReadTable<PolicyTable>(table.document, "", table.file, kPolicyKeys, kPolicyAliases,
                           into_.findings, table);
    tables_.push_back(std::move(table));
    return true;
  }

  bool ReadIncluded() {
    bool good = true;
    const std::vector<std::string> includes = tables_.front().includes;
    into_.files.insert(into_.files.end(), includes.begin(), includes.end());
    for (const std::string &file : includes) {
      const absl::StatusOr<std::string> text = ReadRegularFile(file, kLargestPolicy);
      if (text.ok() && (size_ += text->size()) > kLargestPolicy)
        return NotIncluded(file, absl::StrCat("makes the files of the policy larger than ",
                                              kLargestPolicy >> 20, " MiB, the most that is read"));
      good &= text.ok() ? ReadTables(*text, {file, true, definitions_, into_.findings})
                        : NotIncluded(file, text.status().message());
    }
    return good;
  }

  void ReadRules() {
    std::vector<PolicyRule> &rules = into_.policy.rules;
    bool any = false;
    for (const PolicyTable &table : tables_) {
      if (table.rules == nullptr) continue;
      any |= !table.rules->empty();
      for (const TomlValue &rule : *table.rules)
        if (rule.As<TomlTable>() != nullptr) {
          rules.push_back(ReadRule(rule, table.file, definitions_, into_.findings));
          NoteKeys(rule, rules.back().name);
        }
    }
    if (!any)
      into_.findings.push_back({Severity::kWarning, {into_.files[0], 0}, "", "has no [[rule]]"});
    if (rules.size() > SRCSEL_MAX_POLICY)
      into_.findings.push_back(
          {Severity::kError, Place::Parse(rules[SRCSEL_MAX_POLICY].name), "rule",
           absl::StrCat("is one of ", rules.size(), "; ", SRCSEL_MAX_POLICY, " are accepted")});
  }

  void NoteKeys(const TomlValue &rule, const std::string &name) {
    for (const TomlEntry &entry : *rule.As<TomlTable>())
      into_.key_lines.try_emplace({name, absl::StrCat("rule.", entry.key)}, entry.line);
  }

  bool NotIncluded(const std::string &file, absl::string_view why) {
    into_.findings.push_back({Severity::kError,
                              {into_.files[0], tables_.front().include_line},
                              "include",
                              absl::StrCat(file, " ", why)});
    return false;
  }

  bool Error(Place place, absl::string_view message) {
    into_.findings.push_back({Severity::kError, std::move(place), "", std::string(message)});
    return false;
  }

  PolicyFile &into_;
  Definitions definitions_;
  std::vector<PolicyTable> tables_;
  std::size_t size_ = 0;  // of all files
};

}  // namespace

void PolicyFile::PlaceAtKeys(Findings &at_rules) const {
  for (Finding &finding : at_rules) {
    const auto found = key_lines.find({finding.place.ToString(), finding.key});
    if (found != key_lines.end()) finding.place.line = found->second;
  }
}

PolicyFile ReadPolicy(const std::string &file) {
  const absl::StatusOr<std::string> text = ReadTextFile(file, kLargestPolicy);
  if (text.ok()) return ReadPolicyText(*text, file);
  return {{}, {{Severity::kError, {file, 0}, "", std::string(text.status().message())}}};
}

PolicyFile ReadPolicyText(absl::string_view text, const std::string &file) {
  PolicyFile policy;
  PolicyReader(policy).Read(text, file);
  return policy;
}

}  // namespace srcsel
