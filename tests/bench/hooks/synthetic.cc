#include "bench/hooks/synthetic.hh"

#include <linux/rtnetlink.h>
#include <netinet/in.h>

#include <cstddef>
#include <memory>
#include <random>
#include <vector>

namespace srcsel::bench {
namespace {

constexpr std::uint32_t kMarkValue = 100;

IpAddress Address(const char *text) {
  return *IpAddress::Parse(text);
}

Prefix RandomPrefix(std::mt19937 &random) {
  const int length = std::uniform_int_distribution(12, 24)(random);
  const std::uint32_t bits = htonl(static_cast<std::uint32_t>(random()) % 0xdf000000);
  return Prefix{IpAddress::FromBytes(AF_INET, &bits), length}.Network();
}

Route RouteTo(const Prefix &dst, std::uint32_t table) {
  Route route;
  route.dst = dst;
  route.table = table;
  route.type = RTN_UNICAST;
  route.prefsrc = Address("127.0.0.1");
  route.nexthops = {{1, std::nullopt}};
  return route;
}

Rule RuleTo(std::uint32_t pref, std::uint32_t table) {
  Rule rule;
  rule.pref = pref;
  rule.table = table;
  return rule;
}

std::shared_ptr<const Pool> ThreeSources() {
  Pool pool;
  pool.name = "three";
  for (const char *source : {"127.0.0.1", "127.0.0.2", "127.0.0.3"})
    pool.members.push_back({Address(source), 1});
  return std::make_shared<const Pool>(std::move(pool));
}

PolicyRule RuleOf(Action action) {
  PolicyRule rule;
  switch (action) {
    case Action::kMark:
    case Action::kMarked:
      rule.mark = Mark{kMarkValue};
      break;
    case Action::kTables:
      rule.mark = Mark{kMarkValue};
      rule.apply = Apply::kBind;
      break;
    case Action::kPorts:
      rule.ports = Range16{20000, 29999};
      [[fallthrough]];
    case Action::kSource:
      rule.sources = {Address("127.0.0.2")};
      break;
    case Action::kPool:
      rule.pool = ThreeSources();
      break;
  }
  return rule;
}

}  // namespace

State SyntheticHost(std::uint64_t netns, int routes) {
  State state;
  state.netns = netns;
  state.links = {{1, "lo"}};
  Rule marked = RuleTo(100, 100);
  marked.mark = kMarkValue;
  marked.mark_mask = ~0u;
  state.rules = {RuleTo(0, RT_TABLE_LOCAL), marked, RuleTo(32766, RT_TABLE_MAIN)};
  Route own = RouteTo(*Prefix::Parse("127.0.0.0/8"), RT_TABLE_LOCAL);
  own.type = RTN_LOCAL;
  state.routes = std::vector<Route>{own, RouteTo(Prefix::Default(AF_INET), 100),
                                    RouteTo(Prefix::Default(AF_INET), RT_TABLE_MAIN)};
  std::mt19937 random(1);
  for (int i = 0; i < routes; ++i)
    state.routes.push_back(RouteTo(RandomPrefix(random), RT_TABLE_MAIN));
  return state;
}

Policy SyntheticPolicy(Hook hook, Action action, const Scale &scale) {
  Policy policy;
  const auto count = static_cast<std::size_t>(scale.policy_rules);
  policy.rules.assign(count, RuleOf(action));
  std::mt19937 random(2);
  for (int i = 0; i < scale.prefixes; ++i) {
    const Prefix to = RandomPrefix(random);
    const auto block =
        static_cast<std::size_t>(to.address.bytes()[0] << 4 | to.address.bytes()[1] >> 4);
    policy.rules[count > 1 ? block % (count - 1) : 0].to.push_back(to);
  }
  for (std::size_t i = 0; i + 1 < count && scale.prefixes == 0; ++i) {
    const auto port = static_cast<std::uint16_t>(1000 + i);
    policy.rules[i].dports = {Range16{port, port}};
  }
  if (hook == Hook::kDatagram && count == 1 && scale.prefixes == 0)
    policy.rules[0].dports = {Range16{443, 443}};
  if (count == 1 && scale.prefixes > 0)
    for (const char *half : {"0.0.0.0/1", "128.0.0.0/1"})
      policy.rules[0].to.push_back(*Prefix::Parse(half));
  return policy;
}

}  // namespace srcsel::bench
