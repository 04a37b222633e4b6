#include "policy/read_set.hh"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "policy/table_reader.hh"
#include "policy/text_file.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

constexpr std::size_t kLargestSet = std::size_t{64} << 20;
constexpr std::size_t kTold = 20;

struct SetTable {
  std::string name;  // "set.unicom"
  Findings &findings;
  bool has_file = false, has_prefixes = false;
  std::vector<Prefix> prefixes = {};
};

void ReadLines(absl::string_view text, const std::string &path, SetTable &set) {
  set.prefixes.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
  std::size_t wrong = 0;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    absl::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const absl::StatusOr<Prefix> prefix = PrefixOfWord(line);
    if (prefix.ok()) {
      set.prefixes.push_back(*prefix);
      continue;
    }
    if (++wrong <= kTold)
      set.findings.push_back(
          {Severity::kError, {path, number}, set.name, std::string(prefix.status().message())});
  }
  if (wrong > kTold)
    set.findings.push_back(
        {Severity::kError, {path, 0}, set.name, absl::StrCat("and ", wrong - kTold, " more")});
}

void ReadFile(KeyReader &key, SetTable &set) {
  set.has_file = true;
  const std::optional<std::string> path = key.Path();
  if (!path) return;
  const absl::StatusOr<std::string> text = ReadTextFile(*path, kLargestSet);
  if (!text.ok()) return key.Error(absl::StrCat(*path, " ", text.status().message()));
  const std::size_t before = set.findings.size();
  ReadLines(*text, *path, set);
  if (set.prefixes.empty() && set.findings.size() == before)
    key.Error(absl::StrCat(*path, " has no prefix in it; one a line is accepted"));
}

void ReadPrefixes(KeyReader &key, SetTable &set) {
  set.has_prefixes = true;
  if (key.value().As<TomlArray>() == nullptr)
    return key.WrongType(key.value(), "a list of strings");
  set.prefixes = key.Many(PrefixOfWord, Integers::kRefused);
}

constexpr TableKey<SetTable> kSetKeys[] = {{"file", ReadFile}, {"prefixes", ReadPrefixes}};
constexpr KeyAlias kSetAliases[] = {{"path", "'file' is"},
                                    {"elements", "'prefixes' is"},
                                    {"members", "'prefixes' is"},
                                    {"include", "it stands above the first table of the file"}};

}  // namespace

std::shared_ptr<const PrefixSet> ReadSet(const TomlEntry &entry, const std::string &file,
                                         Findings &findings) {
  KeyReader set_key(entry, "set", file, findings);
  const auto *table = entry.value.As<TomlTable>();
  constexpr absl::string_view kAccepted = "a table with file = \"...\" or prefixes = [...]";
  if (table == nullptr) {
    set_key.WrongType(entry.value, kAccepted);
    return nullptr;
  }
  const std::size_t before = findings.size();
  SetTable set{absl::StrCat("set.", entry.key), findings};
  ReadTable<SetTable>(*table, set.name, file, kSetKeys, kSetAliases, findings, set);
  if (set.has_file && set.has_prefixes)
    set_key.Error("has both file and prefixes; say one of them");
  if (!set.has_file && !set.has_prefixes && findings.size() == before)
    set_key.Error("has neither file nor prefixes; say one of them");
  if (findings.size() != before) return nullptr;
  if (!std::ranges::is_sorted(set.prefixes)) std::ranges::sort(set.prefixes);
  set.prefixes.erase(std::unique(set.prefixes.begin(), set.prefixes.end()), set.prefixes.end());
  return std::make_shared<const PrefixSet>(PrefixSet{entry.key, std::move(set.prefixes)});
}

}  // namespace srcsel
