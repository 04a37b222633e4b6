#include "policy/table_reader.hh"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "policy/nearest.hh"

namespace srcsel {

void ReportUnknown(KeyReader &key, absl::string_view name, std::span<const absl::string_view> known,
                   std::span<const KeyAlias> aliases) {
  const auto alias = std::ranges::find(aliases, name, &KeyAlias::other);
  if (alias != aliases.end()) return key.Error(absl::StrCat("is no key here; ", alias->here));
  const absl::string_view nearest = Nearest(name, known);
  if (!nearest.empty()) return key.Error(absl::StrCat("is no key here; '", nearest, "' is"));
  key.Error(absl::StrCat("is no key here; there is: ", absl::StrJoin(known, ", ")));
}

}  // namespace srcsel
