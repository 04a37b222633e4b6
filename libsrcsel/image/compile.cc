#include "image/compile.hh"

#include <linux/rtnetlink.h>

#include <algorithm>
#include <ranges>
#include <span>
#include <utility>

#include "base/status.hh"
#include "image/compile_classes.hh"
#include "image/compile_policy.hh"
#include "image/compile_rules.hh"
#include "image/compile_sources6.hh"
#include "image/compile_tables.hh"
#include "image/policy_rows.hh"
#include "image/writer.hh"

namespace srcsel {
namespace {

__u32 InputsOf(const PolicyRows &policy) {
  __u32 inputs = 0;
  for (const auto &[rule, id, selectors] : policy.rows) {
    if (!rule.uids.empty()) inputs |= SRCSEL_IN_UID;
    if (!rule.gids.empty()) inputs |= SRCSEL_IN_GID;
    if (!rule.classids.empty()) inputs |= SRCSEL_IN_CLASSID;
    if (!rule.cgroups.empty()) inputs |= SRCSEL_IN_CGROUP;
    if (!rule.comms.empty()) inputs |= SRCSEL_IN_COMM;
    if (rule.plain_tos) inputs |= SRCSEL_IN_DSCP;
    if (rule.pool && rule.pool->pick != Pick::kHash) inputs |= SRCSEL_IN_CHANCE;
  }
  return inputs;
}

// How many ip rules come first that look up no table but this one, whoever asks.
__u32 BeyondLocal(std::span<const srcsel_rule> rules, __u32 local) {
  const auto first = std::ranges::find_if_not(rules, [&](const srcsel_rule &rule) {
    return rule.action == SRCSEL_RULE_TABLE && rule.target == local && rule.inputs == 0;
  });
  return static_cast<__u32>(first - rules.begin());
}

absl::StatusOr<Image> CompileWith(CompiledTables &tables, const State &state, const Policy &policy,
                                  std::uint64_t generation) {
  SRCSEL_ASSIGN_OR_RETURN(const PolicyRows rows, TakeApart(policy));
  SRCSEL_ASSIGN_OR_RETURN(const CompiledPolicy rules, CompilePolicy(rows, state));
  SRCSEL_ASSIGN_OR_RETURN(const CompiledClasses classes, CompileClasses(rows, tables.tries));

  ImageWriter writer;
  srcsel_header header{};
  header.generation = generation;
  header.netns = state.netns;
  header.inputs = InputsOf(rows);
  header.policy = writer.Append(rules.rules);
  std::ranges::copy(rules.rules | std::views::take(SRCSEL_NEAR_POLICY), header.near);
  header.slots = writer.Append(rules.slots);
  header.own_marks = writer.Append(rules.own_marks);
  std::ranges::copy(rows.levels, header.cgroup_levels);
  header.vectors = writer.Append(classes.vectors);
  std::ranges::copy(classes.dimensions, header.dimensions);
  for (srcsel_family family : {SRCSEL_V4, SRCSEL_V6}) {
    SRCSEL_ASSIGN_OR_RETURN(const std::vector<srcsel_rule> ip_rules,
                            CompileRules(state, family, tables));
    header.rules[family] = writer.Append(ip_rules);
    for (const srcsel_rule &rule : ip_rules) header.inputs |= rule.inputs & SRCSEL_IN_DSCP;
    header.local[family] = tables.Find(family, RT_TABLE_LOCAL);
    header.local_places[family] = tables.local_places[family];
    header.beyond_local[family] = BeyondLocal(ip_rules, header.local[family]);
  }
  header.tables = writer.Append(tables.tables);
  header.routes = writer.Append(tables.routes);
  for (const srcsel_route &route : tables.routes)
    if (route.dscp != 0) header.inputs |= SRCSEL_IN_DSCP;
  header.froms = writer.Append(tables.froms);
  header.fans = writer.Append(tables.tries.fans());
  header.nodes = writer.Append(tables.tries.nodes());
  header.leaves = writer.Append(tables.tries.leaves());
  const CompiledSources6 sources6 = CompileSources6(state);
  header.addresses = writer.Append(sources6.addresses);
  header.labels = writer.Append(sources6.labels);
  return std::move(writer).Finish(header);
}

}  // namespace

absl::StatusOr<Image> Compile(const State &state, const Policy &policy, std::uint64_t generation) {
  SRCSEL_ASSIGN_OR_RETURN(CompiledTables tables, CompileTables(state, false));
  return CompileWith(tables, state, policy, generation);
}

absl::StatusOr<LookupImage> CompileForLookup(const State &state, const Policy &policy,
                                             std::uint64_t generation) {
  SRCSEL_ASSIGN_OR_RETURN(CompiledTables tables, CompileTables(state, true));
  SRCSEL_ASSIGN_OR_RETURN(Image image, CompileWith(tables, state, policy, generation));
  return LookupImage{std::move(image), std::move(tables.details)};
}

}  // namespace srcsel
