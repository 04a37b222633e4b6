#include "image/rows_by_device.hh"

#include <algorithm>

#include <srcsel/abi.h>

namespace srcsel {

std::map<std::uint32_t, std::vector<PrefixRow>> RowsByDevice(std::span<const PrefixRow> rows,
                                                             std::span<const Paths> paths) {
  std::map<std::uint32_t, std::vector<PrefixRow>> devices;
  std::vector<PrefixRow> everywhere;
  const bool sources =
      std::ranges::any_of(rows, [&](const PrefixRow &row) { return paths[row.terms].for_source; });
  const PrefixRow *around = nullptr;
  while (!rows.empty()) {
    const std::span<const PrefixRow> same = FirstPrefix(rows);
    rows = rows.subspan(same.size());
    const auto has_none = [&](const PrefixRow &row) { return paths[row.terms].all.empty(); };
    const bool in_one_leaf = around && around->SameAddress(same[0]);
    around = &same[0];
    const auto is_object = [&](const PrefixRow &row) { return paths[row.terms].object; };
    if (sources || std::ranges::any_of(same, has_none) ||
        (in_one_leaf && std::ranges::any_of(same, is_object))) {
      everywhere.insert(everywhere.end(), same.begin(), same.end());
      continue;
    }
    for (const PrefixRow &row : same)
      for (const Path &path : paths[row.terms].all) {
        std::vector<PrefixRow> &own = devices[path.oif];
        if (own.empty() || !own.back().SamePrefix(row))
          own.insert(own.end(), same.begin(), same.end());
      }
  }
  for (const PrefixRow &row : everywhere)
    for (const Path &path : paths[row.terms].all) devices[path.oif];
  devices[SRCSEL_NONE];
  if (everywhere.empty()) return devices;
  for (auto &[oif, own] : devices) {
    own.insert(own.end(), everywhere.begin(), everywhere.end());
    Order(own);
  }
  return devices;
}

}  // namespace srcsel
