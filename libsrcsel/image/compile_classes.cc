#include "image/compile_classes.hh"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "image/key.hh"
#include "image/vector_unions.hh"

namespace srcsel {
namespace {

struct KeyPrefix {
  srcsel_key key;
  int length;

  auto Order() const { return std::tuple(key.hi, key.lo, length); }
  bool operator<(const KeyPrefix &other) const { return Order() < other.Order(); }
  bool operator==(const KeyPrefix &other) const { return Order() == other.Order(); }
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

Prefixes NumberPrefix(std::uint64_t number, int width) {
  return {{{number << (64 - width), 0}, width}};
}

KeyPrefix ToKey(const Prefix &prefix) {
  return {KeyOf(prefix.Network().address), prefix.length};
}

// At the creation of a socket there is no destination yet: that a rule is for one family alone is
// told by its protocols, of which it has none in the other.
bool HoldsFor(srcsel_family family, const PolicyRule &rule) {
  const int only = OnlyFamily(rule);
  return only == 0 || (only == AF_INET ? SRCSEL_V4 : SRCSEL_V6) == family;
}

// The prefixes that the rule itself names, sets not among them.
Prefixes PrefixesOf(const PolicyRule &rule, srcsel_property property, srcsel_family family) {
  Prefixes out;
  const auto append = [&](const Prefixes &more) {
    out.insert(out.end(), more.begin(), more.end());
  };
  switch (property) {
    case SRCSEL_BY_DST:
      for (const Prefix &to : rule.to)
        if (FamilyOf(to.address) == family) out.push_back(ToKey(to));
      break;
    case SRCSEL_BY_PROTO:
      if (!HoldsFor(family, rule)) break;
      if (rule.protos.empty()) out.push_back({{}, 0});
      for (std::uint8_t proto : rule.protos) append(NumberPrefix(proto, 8));
      break;
    case SRCSEL_BY_DPORT:
      for (const Range16 &range : rule.dports) append(RangePrefixes(range.first, range.last, 16));
      break;
    case SRCSEL_BY_UID:
      for (const Range32 &range : rule.uids) append(RangePrefixes(range.first, range.last, 32));
      break;
    case SRCSEL_BY_GID:
      for (const Range32 &range : rule.gids) append(RangePrefixes(range.first, range.last, 32));
      break;
    case SRCSEL_BY_CLASSID:
      out.push_back({{std::uint64_t{1} << 63, 0}, 1});  // unknown: it may
      for (const Range32 &range : rule.classids) append(RangePrefixes(range.first, range.last, 33));
      break;
    case SRCSEL_BY_MARK:
      for (const Mark &mark : rule.marks) append(NumberPrefix(mark.value, 32));
      break;
    case SRCSEL_BY_CGROUP:
      for (const Cgroup &cgroup : rule.cgroups)
        if (cgroup.id != 0) out.push_back({{cgroup.id, 0}, 64});
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

void SetBit(srcsel_vector &vector, std::size_t rule) {
  vector.word[rule / 64] |= std::uint64_t{1} << (rule % 64);
  vector.word[SRCSEL_VECTOR_WORDS] |= std::uint64_t{1} << (rule / 64);
}

// Plus 1; 0: it has none.
std::uint16_t LowestRule(const srcsel_vector &vector) {
  const __u64 words = vector.word[SRCSEL_VECTOR_WORDS];
  if (words == 0) return 0;
  const int word = std::countr_zero(words);
  return static_cast<std::uint16_t>(64 * word + std::countr_zero(vector.word[word]) + 1);
}

bool HasOneDimension(const PolicyRows &policy) {
  std::set<Selector> all;
  for (const PolicyRow &row : policy.rows) all.insert(row.selectors.begin(), row.selectors.end());
  return all.size() == 1;
}

class ClassCompiler {
 public:
  ClassCompiler(const PolicyRows &policy, TrieWriter &tries)
      : policy_(policy), tries_(tries), alone_(HasOneDimension(policy)) {}

  absl::StatusOr<CompiledClasses> Run() {
    Add({SRCSEL_BY_PROTO});
    Add({SRCSEL_BY_UID});
    Add({SRCSEL_BY_GID});
    Add({SRCSEL_BY_CLASSID});
    Add({SRCSEL_BY_COMM});
    for (std::uint32_t level : policy_.levels)
      if (level != SRCSEL_NONE) Add({SRCSEL_BY_CGROUP, level});
    for (std::uint32_t mask : policy_.mark_masks) Add({SRCSEL_BY_MARK, mask});
    for (srcsel_dimensions &dimensions : out_.dimensions) dimensions.early = dimensions.count;
    Add({SRCSEL_BY_DST});
    Add({SRCSEL_BY_DPORT});
    if (out_.vectors.size() > 0x10000)
      return absl::ResourceExhaustedError(absl::StrCat("compile policy: its rules overlap in ",
                                                       out_.vectors.size(),
                                                       " ways, at most 65536 fit into an image"));
    return std::move(out_);
  }

 private:
  // There are few dimensions, and all flows pass them: all but those of one leaf have a fan.
  static constexpr std::size_t kFanFrom = 1;

  struct Named {
    KeyPrefix prefix;
    VectorUnions::Number rules;
  };

  // Those of a destination are two dimensions, one a family.
  void Add(const Selector &dimension) {
    if (std::ranges::none_of(
            policy_.rows, [&](const PolicyRow &row) { return row.selectors.contains(dimension); }))
      return;
    const bool by_family =
        dimension.property == SRCSEL_BY_DST ||
        (dimension.property == SRCSEL_BY_PROTO &&
         std::ranges::any_of(policy_.rows, [](const PolicyRow &r) { return OnlyFamily(r.rule); }));
    const srcsel_trie trie = AddTrie(dimension, SRCSEL_V4);
    Enter(SRCSEL_V4, dimension, trie);
    Enter(SRCSEL_V6, dimension, by_family ? AddTrie(dimension, SRCSEL_V6) : trie);
  }

  void Enter(srcsel_family family, const Selector &dimension, const srcsel_trie &trie) {
    srcsel_dimensions &dimensions = out_.dimensions[family];
    const std::uint32_t argument = dimension.property == SRCSEL_BY_CGROUP
                                       ? policy_.PlaceOf(dimension.argument)
                                       : dimension.argument;
    dimensions.list[dimensions.count++] = {
        .property = static_cast<__u32>(dimension.property), .argument = argument, .trie = trie};
  }

  srcsel_trie AddTrie(const Selector &dimension, srcsel_family family) {
    srcsel_vector indifferent{};
    std::map<const PrefixSet *, srcsel_vector> by_set;
    std::vector<Named> named;
    for (std::size_t i = 0; i < policy_.rows.size(); ++i) {
      const PolicyRule &rule = policy_.rows[i].rule;
      if (!policy_.rows[i].selectors.contains(dimension)) {
        SetBit(indifferent, i);
        continue;
      }
      srcsel_vector alone{};
      SetBit(alone, i);
      const VectorUnions::Number number = unions_.Intern(alone);
      for (const KeyPrefix &prefix : PrefixesOf(rule, dimension.property, family))
        named.push_back({prefix, number});
      if (dimension.property == SRCSEL_BY_DST)
        for (const auto &set : rule.sets) SetBit(by_set[set.get()], i);
    }
    for (const auto &[set, rules] : by_set) {
      const VectorUnions::Number number = unions_.Intern(rules);
      for (const Prefix &prefix : set->prefixes)
        if (FamilyOf(prefix.address) == family) named.push_back({ToKey(prefix), number});
    }
    const auto in_order = [](const Named &a, const Named &b) { return a.prefix < b.prefix; };
    if (!std::ranges::is_sorted(named, in_order)) std::ranges::sort(named, in_order);

    return tries_.Add(Nest(named, unions_.Intern(indifferent)), kFanFrom);
  }

  // What names a prefix holds for all prefixes inside it.
  std::vector<TrieEntry> Nest(const std::vector<Named> &named, VectorUnions::Number indifferent) {
    std::vector<TrieEntry> entries;
    entries.reserve(named.size() + 1);
    std::vector<Named> around = {{{{}, 0}, indifferent}};
    if (named.empty() || named.front().prefix.length != 0)
      entries.push_back({{}, 0, Leaf(indifferent)});
    for (std::size_t i = 0; i < named.size();) {
      const KeyPrefix &prefix = named[i].prefix;
      while (!around.back().prefix.Contains(prefix)) around.pop_back();
      VectorUnions::Number rules = around.back().rules;
      for (; i < named.size() && named[i].prefix == prefix; ++i)
        rules = unions_.Union(rules, named[i].rules);
      around.push_back({prefix, rules});
      entries.push_back({prefix.key, static_cast<std::uint8_t>(prefix.length), Leaf(rules)});
    }
    return entries;
  }

  // Its number in the image, which has only those that a leaf names. An only dimension's is the
  // rule's.
  std::uint16_t Leaf(VectorUnions::Number number) {
    if (alone_) return LowestRule(unions_.at(number));
    if (leaves_.size() <= number) leaves_.resize(number + 1, SRCSEL_NONE);
    if (leaves_[number] == SRCSEL_NONE) {
      leaves_[number] = static_cast<std::uint32_t>(out_.vectors.size());
      out_.vectors.push_back(unions_.at(number));
    }
    return static_cast<std::uint16_t>(leaves_[number]);
  }

  const PolicyRows &policy_;
  TrieWriter &tries_;
  const bool alone_;  // of the dimensions there is one
  VectorUnions unions_;
  std::vector<std::uint32_t> leaves_;
  CompiledClasses out_;
};

}  // namespace

absl::StatusOr<CompiledClasses> CompileClasses(const PolicyRows &policy, TrieWriter &tries) {
  return ClassCompiler(policy, tries).Run();
}

}  // namespace srcsel
