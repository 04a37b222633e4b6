// A table of the file, key by key: each goes to the function that reads it, and what nobody reads
// is unknown.

#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "policy/key_reader.hh"

namespace srcsel {

// What somebody may write who thinks of another program, and the key that says it here.
struct KeyAlias {
  absl::string_view other, here;
};

// An unknown key is an error that names the nearest key there is.
void ReportUnknown(KeyReader &key, absl::string_view name, std::span<const absl::string_view> known,
                   std::span<const KeyAlias> aliases);

template <typename Into>
struct TableKey {
  absl::string_view name;
  void (*read)(KeyReader &key, Into &into);
};

// Reads every key of `table`, in the order of the file. `name` is the table's, as findings say it.
template <typename Into>
void ReadTable(const TomlTable &table, absl::string_view name, const std::string &file,
               std::span<const TableKey<Into>> keys, std::span<const KeyAlias> aliases,
               Findings &findings, Into &into) {
  for (const TomlEntry &entry : table) {
    KeyReader key(entry, name, file, findings);
    const auto found = std::ranges::find(keys, entry.key, &TableKey<Into>::name);
    if (found != keys.end()) {
      found->read(key, into);
      continue;
    }
    std::vector<absl::string_view> known;
    known.reserve(keys.size());
    for (const TableKey<Into> &one : keys) known.push_back(one.name);
    ReportUnknown(key, entry.key, known, aliases);
  }
}

}  // namespace srcsel
