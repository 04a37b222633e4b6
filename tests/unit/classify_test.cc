// Which policy rule the engine finds, against reading the rules one after the other.

#include "engine/classify.h"

#include <algorithm>
#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "fixtures.hh"

namespace srcsel {
namespace {

// Number of the policy's rule; a mark is the application's.
std::uint32_t Classify(const Image &image, srcsel_flow flow) {
  flow.facts |= SRCSEL_FACT_MARK;
  const srcsel_memory memory = image.memory();
  const srcsel_header &head = image.header();
  const std::uint32_t row =
      srcsel_classify(&memory, &head, &flow, head.dimensions[flow.family].count);
  return row == SRCSEL_NONE ? row : image.Section<srcsel_policy>(head.policy)[row].id;
}

std::uint32_t Classify(const std::vector<PolicyRule> &rules, const srcsel_flow &flow) {
  return Classify(ImageOf(StateOf({}, {}), rules), flow);
}

template <typename T, typename F>
bool AnyOrEmpty(const std::vector<T> &items, F holds) {
  return items.empty() || std::ranges::any_of(items, holds);
}

bool Holds(const PolicyRule &rule, const srcsel_flow &flow) {
  const auto contains = [](std::uint64_t number) {
    return [number](const auto &range) { return range.first <= number && number <= range.last; };
  };
  const auto matches = [&](const Prefix &to) {
    const srcsel_match match = MatchOf(to);
    return FamilyOf(to.address) == flow.family && srcsel_outside(&flow.dst, &match) == 0;
  };
  const auto in_set = [&](const auto &set) { return std::ranges::any_of(set->prefixes, matches); };
  return ((rule.to.empty() && rule.sets.empty()) || std::ranges::any_of(rule.to, matches) ||
          std::ranges::any_of(rule.sets, in_set)) &&
         AnyOrEmpty(rule.protos, [&](std::uint8_t p) { return p == flow.proto; }) &&
         AnyOrEmpty(rule.dports, contains(flow.dport)) &&
         AnyOrEmpty(rule.uids, contains(flow.uid)) && AnyOrEmpty(rule.gids, contains(flow.gid)) &&
         (flow.unknown & SRCSEL_IN_CLASSID || AnyOrEmpty(rule.classids, contains(flow.classid))) &&
         AnyOrEmpty(rule.marks, [&](const Mark &m) { return (flow.mark & m.mask) == m.value; }) &&
         AnyOrEmpty(rule.cgroups,
                    [&](const Cgroup &c) { return c.id != 0 && c.id == flow.cgroup[c.level]; }) &&
         AnyOrEmpty(rule.comms, [&](const std::string &comm) { return comm == flow.comm; });
}

std::uint32_t OneAfterTheOther(const std::vector<PolicyRule> &rules, const srcsel_flow &flow) {
  const auto first =
      std::ranges::find_if(rules, [&](const PolicyRule &rule) { return Holds(rule, flow); });
  return first == rules.end() ? SRCSEL_NONE : static_cast<std::uint32_t>(first - rules.begin());
}

PolicyRule Selecting(const std::function<void(PolicyRule &)> &select) {
  PolicyRule rule = Marking("1");
  select(rule);
  return rule;
}

srcsel_flow FlowWith(const std::function<void(srcsel_flow &)> &change) {
  srcsel_flow flow = FlowTo("10.0.0.1");
  change(flow);
  return flow;
}

void SetComm(srcsel_flow &flow, absl::string_view comm) {
  std::ranges::fill(flow.comm, '\0');
  comm.copy(flow.comm, sizeof(flow.comm));
}

TEST(Classify, WithoutRulesFindsNone) {
  EXPECT_EQ(Classify(std::vector<PolicyRule>{}, FlowTo("10.0.0.1")), SRCSEL_NONE);
}

TEST(Classify, ARuleWithoutSelectorsHoldsForBothFamilies) {
  EXPECT_EQ(Classify({Marking("1")}, FlowTo("10.0.0.1")), 0u);
  EXPECT_EQ(Classify({Marking("1")}, FlowTo("fd00::1")), 0u);
}

struct Selection {
  const char *what;
  PolicyRule rule;
  std::vector<srcsel_flow> matching, missing;
};

std::vector<Selection> Selections() {
  using Flow = srcsel_flow;
  return {
      {"to",
       Selecting([](auto &r) {
         r.to = {Net("10.0.0.9/8"), Net("fd00::/8")};
       }),
       {FlowTo("10.0.0.0"), FlowTo("10.255.255.255"), FlowTo("fd00::"), FlowTo("fdff::1")},
       {FlowTo("9.255.255.255"), FlowTo("11.0.0.0"), FlowTo("fc00::"), FlowTo("a00::")}},
      {"to everything of one family",
       Selecting([](auto &r) { r.to = {Net("0.0.0.0/0")}; }),
       {FlowTo("10.0.0.1")},
       {FlowTo("fd00::1"), FlowTo("::")}},
      {"proto",
       Selecting([](auto &r) {
         r.protos = {IPPROTO_TCP, IPPROTO_SCTP};
       }),
       {FlowWith([](Flow &f) { f.proto = IPPROTO_TCP; }), FlowWith([](Flow &f) { f.proto = 132; })},
       {FlowWith([](Flow &f) { f.proto = IPPROTO_UDP; }), FlowWith([](Flow &f) { f.proto = 0; })}},
      {"dport",
       Selecting([](auto &r) {
         r.dports = {{443, 443}, {8000, 8099}};
       }),
       {FlowWith([](Flow &f) { f.dport = 443; }), FlowWith([](Flow &f) { f.dport = 8000; }),
        FlowWith([](Flow &f) { f.dport = 8099; })},
       {FlowWith([](Flow &f) { f.dport = 442; }), FlowWith([](Flow &f) { f.dport = 444; }),
        FlowWith([](Flow &f) { f.dport = 7999; }), FlowWith([](Flow &f) { f.dport = 8100; })}},
      {"uid",
       Selecting([](auto &r) {
         r.uids = {{1000, 1999}, {0xffffffff, 0xffffffff}};
       }),
       {FlowWith([](Flow &f) { f.uid = 1000; }), FlowWith([](Flow &f) { f.uid = 1999; }),
        FlowWith([](Flow &f) { f.uid = 0xffffffff; })},
       {FlowWith([](Flow &f) { f.uid = 999; }), FlowWith([](Flow &f) { f.uid = 2000; }),
        FlowWith([](Flow &f) { f.uid = 0xfffffffe; })}},
      {"classid",
       Selecting([](auto &r) {
         r.classids = {{0, 0}, {0x10001, 0x10002}, {0xffffffff, 0xffffffff}};
       }),
       {FlowWith([](Flow &f) { f.classid = 0; }), FlowWith([](Flow &f) { f.classid = 0x10001; }),
        FlowWith([](Flow &f) { f.classid = 0x10002; }),
        FlowWith([](Flow &f) { f.classid = 0xffffffff; }), FlowWith([](Flow &f) {
          f.classid = 5;
          f.unknown = SRCSEL_IN_CLASSID;
        })},
       {FlowWith([](Flow &f) { f.classid = 1; }), FlowWith([](Flow &f) { f.classid = 0x10000; }),
        FlowWith([](Flow &f) { f.classid = 0x10003; }),
        FlowWith([](Flow &f) { f.classid = 0x7fffffff; }),
        FlowWith([](Flow &f) { f.classid = 0x80000000; }),
        FlowWith([](Flow &f) { f.classid = 0xfffffffe; })}},
      {"cgroup",
       Selecting([](auto &r) {
         r.cgroups = {{.path = {}, .id = 1ull << 63 | 7}, {.path = {}, .id = 8}};
       }),
       {FlowWith([](Flow &f) { f.cgroup[0] = 1ull << 63 | 7; }),
        FlowWith([](Flow &f) { f.cgroup[0] = 8; })},
       {FlowWith([](Flow &f) { f.cgroup[0] = 7; }), FlowWith([](Flow &f) { f.cgroup[0] = 0; })}},
      {"comm",
       Selecting([](auto &r) {
         r.comms = {"nginx", "fifteen-letters"};
       }),
       {FlowWith([](Flow &f) { SetComm(f, "nginx"); }),
        FlowWith([](Flow &f) { SetComm(f, "fifteen-letters"); })},
       {FlowWith([](Flow &f) { SetComm(f, "nginy"); }),
        FlowWith([](Flow &f) { SetComm(f, "ngin"); }),
        FlowWith([](Flow &f) { SetComm(f, "nginx2"); }), FlowWith([](Flow &f) { SetComm(f, ""); }),
        FlowWith([](Flow &f) { SetComm(f, "fifteen-letterz"); })}},
  };
}

TEST(Classify, ARuleHoldsIfItsSelectorDoes) {
  for (const Selection &s : Selections()) {
    for (const srcsel_flow &flow : s.matching) EXPECT_EQ(Classify({s.rule}, flow), 0u) << s.what;
    for (const srcsel_flow &flow : s.missing)
      EXPECT_EQ(Classify({s.rule}, flow), SRCSEL_NONE) << s.what;
  }
}

TEST(Classify, ARuleHoldsOnlyIfAllItsSelectorsDo) {
  const PolicyRule rule = Selecting([](PolicyRule &r) {
    r.to = {Net("10.0.0.0/8")};
    r.protos = {IPPROTO_TCP};
    r.dports = {{443, 443}};
    r.uids = {{1000, 1000}};
    r.cgroups = {{.path = {}, .id = 5}};
    r.comms = {"curl"};
  });
  const srcsel_flow all = FlowWith([](srcsel_flow &f) { f.cgroup[0] = 5; });
  EXPECT_EQ(Classify({rule}, all), 0u);
  const std::function<void(srcsel_flow &)> changes[] = {
      [](srcsel_flow &f) { f.dst = KeyOf(Address("11.0.0.0")); },
      [](srcsel_flow &f) { f.proto = IPPROTO_UDP; },
      [](srcsel_flow &f) { f.dport = 80; },
      [](srcsel_flow &f) { f.uid = 0; },
      [](srcsel_flow &f) { f.cgroup[0] = 6; },
      [](srcsel_flow &f) { SetComm(f, "wget"); },
  };
  for (const auto &change : changes) {
    srcsel_flow flow = all;
    change(flow);
    EXPECT_EQ(Classify({rule}, flow), SRCSEL_NONE);
  }
}

TEST(Classify, TheFirstRuleThatHoldsIsFound) {
  const PolicyRule narrow = Selecting([](PolicyRule &r) { r.to = {Net("10.1.0.0/16")}; });
  const PolicyRule wide = Selecting([](PolicyRule &r) { r.to = {Net("10.0.0.0/8")}; });
  EXPECT_EQ(Classify({narrow, wide, Marking("1")}, FlowTo("10.1.0.1")), 0u);
  EXPECT_EQ(Classify({wide, narrow, Marking("1")}, FlowTo("10.1.0.1")), 0u);
  EXPECT_EQ(Classify({narrow, wide, Marking("1")}, FlowTo("10.2.0.1")), 1u);
  EXPECT_EQ(Classify({narrow, wide, Marking("1")}, FlowTo("11.0.0.1")), 2u);
}

TEST(Classify, TheLastOfTheMostRulesIsFound) {
  std::vector<PolicyRule> rules(SRCSEL_MAX_POLICY, Selecting([](PolicyRule &r) {
                                  r.uids = {{7, 7}};
                                }));
  rules.back() = Marking("1");
  const Image image = ImageOf(StateOf({}, {}), rules);
  EXPECT_EQ(Classify(image, FlowTo("10.0.0.1")), SRCSEL_MAX_POLICY - 1);
  EXPECT_EQ(Classify(image, FlowWith([](srcsel_flow &f) { f.uid = 7; })), 0u);
}

// ---- random policies --------------------------------------------------------------------------

// Draws from few values, so that rules overlap and flows meet them.
class Drawer {
 public:
  explicit Drawer(std::uint64_t seed) : random_(seed) {}

  PolicyRule Rule() {
    PolicyRule rule = Marking("1");
    Fill(rule.to, [&] { return Net(); });
    Fill(rule.protos, [&] { return Proto(); });
    Fill(rule.dports, [&] { return Range<Range16>(Port(), Port()); });
    Fill(rule.uids, [&] { return Range<Range32>(Uid(), Uid()); });
    // Many properties at once are more than an image has dimensions.
    switch (world_) {
      case 0:
        Fill(rule.gids, [&] { return Range<Range32>(Uid(), Uid()); });
        break;
      case 1:
        Fill(rule.classids, [&] { return Range<Range32>(Uid(), Uid()); });
        break;
      default:
        Fill(rule.marks, [&] { return Mark{static_cast<std::uint32_t>(Below(4)), 0xffu}; });
    }
    Fill(rule.cgroups, [&] {
      return Cgroup{.path = {}, .id = Below(4), .level = static_cast<std::uint32_t>(Below(2))};
    });
    for (const auto &set : sets_)
      if (!Below(6)) rule.sets.push_back(set);
    Fill(rule.comms, [&] { return Comm(); });
    return rule;
  }
  srcsel_flow Flow() {
    srcsel_flow flow = FlowTo(To().ToString());
    flow.proto = Proto();
    flow.dport = Port();
    flow.uid = Uid();
    flow.gid = Uid();
    flow.classid = Uid();
    if (!Below(4)) flow.unknown = SRCSEL_IN_CLASSID;
    flow.mark = static_cast<std::uint32_t>(Below(3) ? Below(4) : Below(1024));
    flow.cgroup[0] = Below(4);
    flow.cgroup[1] = Below(4);
    SetComm(flow, Comm());
    return flow;
  }
  std::size_t Below(std::size_t limit) { return random_() % limit; }

  // Sets for the rules to come, which select by gid, by classid or by mark.
  void NewWorld() {
    world_ = Below(3);
    sets_.clear();
    for (std::size_t i = Below(4); i > 0; --i) {
      PrefixSet set;
      for (std::size_t j = Below(40); j > 0; --j) set.prefixes.push_back(Net());
      sets_.push_back(std::make_shared<const PrefixSet>(std::move(set)));
    }
  }

 private:
  Prefix Net() {
    return Prefix{To(), static_cast<int>(Below(3) ? Below(33) : 8 * Below(5))}.Network();
  }
  // Unset in half of the cases, else one to three items.
  template <typename T, typename F>
  void Fill(std::vector<T> &items, F draw) {
    if (Below(2)) return;
    for (std::size_t i = Below(3) + 1; i > 0; --i) items.push_back(draw());
  }
  template <typename R, typename T>
  static R Range(T a, T b) {
    return {std::min(a, b), std::max(a, b)};
  }
  IpAddress To() {
    std::uint8_t bytes[16] = {
        static_cast<std::uint8_t>(Below(4)), static_cast<std::uint8_t>(Below(4) * 85),
        static_cast<std::uint8_t>(Below(2)), static_cast<std::uint8_t>(random_())};
    return IpAddress::FromBytes(Below(3) ? AF_INET : AF_INET6, bytes);
  }
  std::uint8_t Proto() { return Below(2) ? IPPROTO_TCP : IPPROTO_UDP; }
  std::uint16_t Port() { return static_cast<std::uint16_t>(Below(4) ? Below(100) : random_()); }
  std::uint32_t Uid() { return static_cast<std::uint32_t>(Below(4) ? Below(2000) : random_()); }
  std::string Comm() { return std::vector<std::string>{"curl", "nginx", "nc"}[Below(3)]; }

  std::mt19937_64 random_;
  std::size_t world_ = 0;
  std::vector<std::shared_ptr<const PrefixSet>> sets_;
};

TEST(Classify, FindsWhatReadingTheRulesFinds) {
  Drawer drawer(1);
  int found = 0, none = 0;
  for (int world = 0; world < 60; ++world) {
    drawer.NewWorld();
    std::vector<PolicyRule> rules(drawer.Below(world % 6 ? 20 : 200));
    std::ranges::generate(rules, [&] { return drawer.Rule(); });
    const Image image = ImageOf(StateOf({}, {}), rules);
    for (int i = 0; i < 300; ++i) {
      srcsel_flow flow = drawer.Flow();
      const std::uint32_t expected = OneAfterTheOther(rules, flow);
      // The image asks for ancestors in an order of its own.
      if (image.header().cgroup_levels[0] == 1) std::swap(flow.cgroup[0], flow.cgroup[1]);
      ASSERT_EQ(Classify(image, flow), expected) << "world " << world << ", flow " << i;
      ++(expected == SRCSEL_NONE ? none : found);
    }
  }
  EXPECT_GT(found, 2000);
  EXPECT_GT(none, 2000);
}

// What the rules are left with.
void KeepOnly(std::size_t property, PolicyRule &rule) {
  PolicyRule kept = Marking("1");
  if (property == 0) {
    kept.to = rule.to;
    kept.sets = rule.sets;
  }
  if (property == 1) kept.protos = rule.protos;
  if (property == 2) kept.dports = rule.dports;
  if (property == 3) kept.uids = rule.uids;
  if (property == 4) kept.classids = rule.classids;
  if (property == 5) kept.comms = rule.comms;
  rule = kept;
}

TEST(Classify, FindsWhatReadingTheRulesFindsByOneProperty) {
  Drawer drawer(3);
  int found = 0, none = 0, alone = 0;
  for (std::size_t world = 0; world < 120; ++world) {
    drawer.NewWorld();
    std::vector<PolicyRule> rules(1 + drawer.Below(world % 6 ? 5 : 200));
    std::ranges::generate(rules, [&] { return drawer.Rule(); });
    for (PolicyRule &rule : rules) KeepOnly(world % 6, rule);
    const Image image = ImageOf(StateOf({}, {}), rules);
    // Those for all destinations of one family select by it, too.
    if (image.header().dimensions[SRCSEL_V4].count == 1) ++alone;
    EXPECT_EQ(image.header().vectors.count == 0, image.header().dimensions[SRCSEL_V4].count < 2);
    for (int i = 0; i < 100; ++i) {
      const srcsel_flow flow = drawer.Flow();
      const std::uint32_t expected = OneAfterTheOther(rules, flow);
      ASSERT_EQ(Classify(image, flow), expected) << "world " << world << ", flow " << i;
      ++(expected == SRCSEL_NONE ? none : found);
    }
  }
  EXPECT_GT(alone, 60);
  EXPECT_GT(found, 1000);
  EXPECT_GT(none, 500);
}

TEST(Classify, FindsRangesOfEveryKind) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) {
    const auto a = static_cast<std::uint16_t>(random()), b = static_cast<std::uint16_t>(random());
    const Range16 range{std::min(a, b), std::max(a, b)};
    const Image image =
        ImageOf(StateOf({}, {}), {Selecting([&](PolicyRule &r) { r.dports = {range}; })});
    for (const int port : {0, range.first - 1, int{range.first}, (range.first + range.last) / 2,
                           int{range.last}, range.last + 1, 65535}) {
      const srcsel_flow flow =
          FlowWith([&](srcsel_flow &f) { f.dport = static_cast<__u16>(port); });
      ASSERT_EQ(Classify(image, flow) == 0, range.first <= flow.dport && flow.dport <= range.last)
          << range.first << '-' << range.last << ": " << port;
    }
  }
}

}  // namespace
}  // namespace srcsel
