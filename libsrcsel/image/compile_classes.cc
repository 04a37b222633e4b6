#include "image/compile_classes.hh"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "image/key.hh"

namespace srcsel {
namespace {

struct KeyPrefix {
  srcsel_key key;
  int length;

  auto Order() const { return std::tuple(key.hi, key.lo, length); }
  bool operator<(const KeyPrefix &other) const { return Order() < other.Order(); }
  bool Contains(const KeyPrefix &other) const {
    const srcsel_key mask = MaskOf(length);
    return length <= other.length && ((key.hi ^ other.key.hi) & mask.hi) == 0 &&
           ((key.lo ^ other.key.lo) & mask.lo) == 0;
  }
};

using Prefixes = std::vector<KeyPrefix>;

// The prefixes that make up first..last, numbers of `width` bits left aligned in the key.
Prefixes RangePrefixes(std::uint64_t first, std::uint64_t last, int width) {
  Prefixes prefixes;
  while (first <= last) {
    int free = 0;  // bits below the prefix
    while (free < width && (first & (std::uint64_t{1} << free)) == 0 &&
           first + (std::uint64_t{2} << free) - 1 <= last)
      ++free;
    prefixes.push_back({{first << (64 - width), 0}, width - free});
    first += std::uint64_t{1} << free;
  }
  return prefixes;
}

Prefixes PrefixesOf(const PolicyRule &rule, srcsel_property property, srcsel_family family) {
  Prefixes out;
  const auto append = [&](const Prefixes &more) {
    out.insert(out.end(), more.begin(), more.end());
  };
  switch (property) {
    case SRCSEL_BY_DST:
      for (const Prefix &to : rule.to)
        if (FamilyOf(to.address) == family) out.push_back({KeyOf(to.Network().address), to.length});
      break;
    case SRCSEL_BY_PROTO:
      for (std::uint8_t proto : rule.protos) append(RangePrefixes(proto, proto, 8));
      break;
    case SRCSEL_BY_DPORT:
      for (const Range16 &range : rule.dports) append(RangePrefixes(range.first, range.last, 16));
      break;
    case SRCSEL_BY_UID:
      for (const Range32 &range : rule.uids) append(RangePrefixes(range.first, range.last, 32));
      break;
    case SRCSEL_BY_CGROUP:
      for (const Cgroup &cgroup : rule.cgroups) out.push_back({{cgroup.id, 0}, 64});
      break;
    case SRCSEL_BY_COMM:
      for (const std::string &comm : rule.comms) {
        char padded[SRCSEL_COMM] = {};
        comm.copy(padded, SRCSEL_COMM - 1);
        KeyPrefix exact{{}, 128};
        std::memcpy(&exact.key, padded, sizeof(exact.key));
        out.push_back(exact);
      }
      break;
    case SRCSEL_PROPERTIES:
      break;
  }
  return out;
}

bool Selects(const PolicyRule &rule, srcsel_property property) {
  switch (property) {
    case SRCSEL_BY_DST:
      return !rule.to.empty();
    case SRCSEL_BY_PROTO:
      return !rule.protos.empty();
    case SRCSEL_BY_DPORT:
      return !rule.dports.empty();
    case SRCSEL_BY_UID:
      return !rule.uids.empty();
    case SRCSEL_BY_CGROUP:
      return !rule.cgroups.empty();
    case SRCSEL_BY_COMM:
      return !rule.comms.empty();
    case SRCSEL_PROPERTIES:
      break;
  }
  return false;
}

void SetBit(srcsel_vector &vector, std::size_t rule) {
  vector.word[rule / 64] |= std::uint64_t{1} << (rule % 64);
  vector.word[SRCSEL_VECTOR_WORDS] |= std::uint64_t{1} << (rule / 64);
}

void Unite(srcsel_vector &vector, const srcsel_vector &other) {
  for (std::size_t i = 0; i <= SRCSEL_VECTOR_WORDS; ++i) vector.word[i] |= other.word[i];
}

class Compiler {
 public:
  Compiler(const Policy &policy, CompiledTables &tables) : policy_(policy), tables_(tables) {}

  absl::StatusOr<CompiledClasses> Run() {
    for (int property = 0; property < SRCSEL_PROPERTIES; ++property)
      Add(static_cast<srcsel_property>(property));
    if (out_.vectors.size() > 0x10000)
      return absl::ResourceExhaustedError(absl::StrCat("compile policy: its rules overlap in ",
                                                       out_.vectors.size(),
                                                       " ways, at most 65536 fit into an image"));
    return std::move(out_);
  }

 private:
  void Add(srcsel_property property) {
    if (std::ranges::none_of(policy_.rules,
                             [&](const PolicyRule &r) { return Selects(r, property); }))
      return;
    if (property == SRCSEL_BY_DST) {
      Enter(SRCSEL_V4, property, AddTable(property, SRCSEL_V4));
      Enter(SRCSEL_V6, property, AddTable(property, SRCSEL_V6));
      return;
    }
    const std::uint32_t table = AddTable(property, SRCSEL_V4);
    Enter(SRCSEL_V4, property, table);
    Enter(SRCSEL_V6, property, table);
  }

  void Enter(srcsel_family family, srcsel_property property, std::uint32_t table) {
    srcsel_dimensions &dimensions = out_.dimensions[family];
    dimensions.list[dimensions.count++] = {static_cast<__u32>(property), table};
  }

  std::uint32_t AddTable(srcsel_property property, srcsel_family family) {
    srcsel_vector indifferent{};
    std::map<KeyPrefix, srcsel_vector> named;
    for (std::size_t i = 0; i < policy_.rules.size(); ++i) {
      if (!Selects(policy_.rules[i], property)) SetBit(indifferent, i);
      for (const KeyPrefix &prefix : PrefixesOf(policy_.rules[i], property, family))
        SetBit(named[prefix], i);
    }
    std::vector<TrieEntry> entries = Nest(named, indifferent);
    srcsel_table table = tables_.tries.Add(std::move(entries));
    table.family = family;
    tables_.tables.push_back(table);
    return static_cast<std::uint32_t>(tables_.tables.size() - 1);
  }

  // What names a prefix holds for all prefixes inside it.
  std::vector<TrieEntry> Nest(std::map<KeyPrefix, srcsel_vector> &named,
                              const srcsel_vector &indifferent) {
    std::vector<TrieEntry> entries;
    std::vector<std::map<KeyPrefix, srcsel_vector>::iterator> around;
    const KeyPrefix everything{{}, 0};
    named.try_emplace(everything);
    for (auto it = named.begin(); it != named.end(); ++it) {
      while (!around.empty() && !around.back()->first.Contains(it->first)) around.pop_back();
      Unite(it->second, around.empty() ? indifferent : around.back()->second);
      around.push_back(it);
      entries.push_back(
          {it->first.key, static_cast<std::uint8_t>(it->first.length), Intern(it->second)});
    }
    return entries;
  }

  std::uint16_t Intern(const srcsel_vector &vector) {
    std::string bytes(reinterpret_cast<const char *>(&vector), sizeof(vector));
    const auto [place, added] = interned_.try_emplace(std::move(bytes), out_.vectors.size());
    if (added) out_.vectors.push_back(vector);
    return static_cast<std::uint16_t>(place->second);
  }

  const Policy &policy_;
  CompiledTables &tables_;
  absl::flat_hash_map<std::string, std::size_t> interned_;
  CompiledClasses out_;
};

}  // namespace

absl::StatusOr<CompiledClasses> CompileClasses(const Policy &policy, CompiledTables &tables) {
  return Compiler(policy, tables).Run();
}

}  // namespace srcsel
