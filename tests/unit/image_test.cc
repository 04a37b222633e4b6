#include "image/image.hh"

#include <bit>
#include <cstring>

#include <gtest/gtest.h>

#include "engine/exempt.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

// An image with something in every section.
Image Full(std::uint64_t generation = 1) {
  std::vector<Route> routes;
  for (int i = 0; i < 300; ++i)
    routes.push_back(RouteTo(absl::StrCat("10.", i / 256, ".", i % 256, ".0/24"), RT_TABLE_MAIN, 2,
                             absl::StrCat("10.0.0.", i % 9)));
  routes.push_back(RouteTo("fd00::1/128", RT_TABLE_LOCAL, 1));
  PolicyRule rule = Binding("100");
  rule.uids = {{0, 999}};
  rule.protos = {IPPROTO_TCP};
  State state = StateOf({On(2, "fd00::2/64")}, routes);
  state.labels = {{Net("fc00::/7"), 0, 5}};
  PolicyRule pooled = Marking("1");
  pooled.pool = std::make_shared<const Pool>(Pool{"pool", {PoolMember{}}, Pick::kHash});
  return Compile(state, Policy{{rule, pooled}}, generation).value();
}

TEST(Image, HasAHeaderThatNamesIt) {
  const Image image = Full(7);
  const srcsel_header &head = image.header();
  EXPECT_EQ(head.magic, SRCSEL_ABI_MAGIC);
  EXPECT_EQ(head.version, SRCSEL_ABI_VERSION);
  EXPECT_EQ(head.generation, 7u);
  EXPECT_EQ(head.netns, kNetns);
  EXPECT_EQ(head.inputs, SRCSEL_IN_UID);
  EXPECT_EQ(std::size_t{head.pages} * SRCSEL_PAGE, image.bytes().size());
  EXPECT_EQ(image.memory().pages, head.pages);
}

TEST(Image, GathersWhatAnyRuleOfThePolicyConsults) {
  PolicyRule by_cgroup = Marking("1"), by_comm = Marking("1"), by_classid = Marking("1");
  by_cgroup.cgroups = {{.path = {}, .id = 5}};
  by_comm.comms = {"curl"};
  by_classid.classids = {{1, 1}};
  EXPECT_EQ(ImageOf(StateOf({}, {}), {}).header().inputs, 0u);
  EXPECT_EQ(ImageOf(StateOf({}, {}), {by_cgroup, by_comm}).header().inputs,
            SRCSEL_IN_CGROUP | SRCSEL_IN_COMM);
  EXPECT_EQ(ImageOf(StateOf({}, {}), {by_classid}).header().inputs, SRCSEL_IN_CLASSID);
}

TEST(Image, GathersTheTosIfAnythingLooksAtIt) {
  PolicyRule plain = Marking("1");
  plain.plain_tos = true;
  EXPECT_EQ(ImageOf(StateOf({}, {}), {plain}).header().inputs, SRCSEL_IN_DSCP);
  State by_rule = StateOf({}, {}), by_route = StateOf({}, {RouteTo("0.0.0.0/0", RT_TABLE_MAIN, 2)});
  EXPECT_EQ(ImageOf(by_route, {}).header().inputs, 0u);
  Rule rule = Lookup(1000, 100);
  rule.tos = 0x10;
  by_rule.rules.push_back(rule);
  EXPECT_EQ(ImageOf(by_rule, {}).header().inputs, SRCSEL_IN_DSCP);
  Route route = RouteTo("10.0.0.0/8", RT_TABLE_MAIN, 2);
  route.tos = 0x10;
  by_route.routes.push_back(route);
  EXPECT_EQ(ImageOf(by_route, {}).header().inputs, SRCSEL_IN_DSCP);
}

TEST(Image, StartsEverySectionOnAPageOfItsOwn) {
  const srcsel_header head = Full().header();
  struct {
    srcsel_section section;
    std::size_t object;
  } const sections[] = {
      {head.policy, sizeof(srcsel_policy)},
      {head.slots, sizeof(srcsel_slot)},
      {head.own_marks, sizeof(srcsel_own_mark)},
      {head.vectors, sizeof(srcsel_vector)},
      {head.rules[0], sizeof(srcsel_rule)},
      {head.rules[1], sizeof(srcsel_rule)},
      {head.tables, sizeof(srcsel_table)},
      {head.routes, sizeof(srcsel_route)},
      {head.fans, sizeof(__u32)},
      {head.nodes, sizeof(srcsel_node)},
      {head.leaves, sizeof(__u16)},
      {head.addresses, sizeof(srcsel_address)},
      {head.labels, sizeof(srcsel_label)},
  };
  std::size_t next = 1;
  for (const auto &s : sections) {
    EXPECT_GT(s.section.count, 0u);
    EXPECT_EQ(s.section.page, next);
    next += (s.section.count * s.object + SRCSEL_PAGE - 1) / SRCSEL_PAGE;
  }
  EXPECT_EQ(next, head.pages);
}

TEST(Image, KnowsTheLocalTableOfEachFamily) {
  const Image image = Full();
  const srcsel_header &head = image.header();
  EXPECT_EQ(head.local[SRCSEL_V4], SRCSEL_NONE);
  ASSERT_LT(head.local[SRCSEL_V6], head.tables.count);
  const srcsel_table &local = image.Section<srcsel_table>(head.tables)[head.local[SRCSEL_V6]];
  EXPECT_EQ(local.id, std::uint32_t{RT_TABLE_LOCAL});
  EXPECT_EQ(local.family, std::uint32_t{SRCSEL_V6});
}

TEST(Image, KnowsRoughlyWhereThereAreLocalRoutes) {
  const Image image = ImageOf(StateOf({}, {RouteTo("10.1.2.3/32", RT_TABLE_LOCAL, 1),
                                           RouteTo("127.0.0.0/8", RT_TABLE_LOCAL, 1),
                                           RouteTo("192.0.2.0/24", RT_TABLE_MAIN, 2),
                                           RouteTo("fd00::1/128", RT_TABLE_LOCAL, 1)}),
                              {});
  const auto count = [&](srcsel_family family) {
    int places = 0;
    for (const __u64 word : image.header().local_places[family].word) places += std::popcount(word);
    return places;
  };
  const auto near = [&](const char *destination) {
    const srcsel_flow flow = FlowTo(destination);
    return srcsel_may_be_local(&image.header(), &flow) != 0;
  };
  EXPECT_EQ(count(SRCSEL_V4), 1 + 16);
  EXPECT_EQ(count(SRCSEL_V6), 1);
  for (const char *here : {"10.1.2.3", "10.0.0.0", "10.15.255.255", "127.0.0.0", "127.255.255.255",
                           "fd00::1", "fd0f:ffff::"})
    EXPECT_TRUE(near(here)) << here;
  for (const char *elsewhere : {"9.255.255.255", "10.16.0.0", "126.255.255.255", "128.0.0.0",
                                "192.0.2.1", "fcff::", "fd10::", "2001:db8::1"})
    EXPECT_FALSE(near(elsewhere)) << elsewhere;
}

TEST(Image, BeginsBeyondTheRulesThatOnlyTellWhatIsLocal) {
  const auto first = [](std::vector<Rule> rules) {
    State state = StateOf({}, {RouteTo("10.1.2.3/32", RT_TABLE_LOCAL, 1)});
    state.rules = std::move(rules);
    return ImageOf(state, {}).header().beyond_local[SRCSEL_V4];
  };
  Rule of_user = Lookup(1, RT_TABLE_LOCAL);
  of_user.uids = Range32{7, 7};
  EXPECT_EQ(first({}), 0u);
  EXPECT_EQ(first({Lookup(0, RT_TABLE_LOCAL), Lookup(9, RT_TABLE_MAIN)}), 1u);
  EXPECT_EQ(first({Lookup(0, RT_TABLE_LOCAL), Lookup(1, RT_TABLE_LOCAL)}), 2u);
  EXPECT_EQ(first({Lookup(0, RT_TABLE_MAIN), Lookup(9, RT_TABLE_LOCAL)}), 0u);
  EXPECT_EQ(first({of_user, Lookup(9, RT_TABLE_MAIN)}), 0u);
}

TEST(Image, RepeatsTheFirstRulesInItsHeader) {
  const Image image = ImageOf(StateOf({}, {}), std::vector<PolicyRule>(50, Marking("7")));
  const auto rules = image.Section<srcsel_policy>(image.header().policy);
  for (std::size_t i = 0; i < SRCSEL_NEAR_POLICY; ++i)
    EXPECT_EQ(std::memcmp(&image.header().near[i], &rules[i], sizeof(srcsel_policy)), 0) << i;
}

TEST(Image, KeepsItsReservedBytesZero) {
  const srcsel_header head = Full().header();
  for (const __u8 byte : head.zero) ASSERT_EQ(byte, 0);
}

TEST(Image, DecidesAsOneThatDiffersByGenerationOnly) {
  const Image image = Full(1);
  EXPECT_TRUE(image.DecidesAs(image));
  EXPECT_TRUE(image.DecidesAs(Full(2)));
  EXPECT_TRUE(Full(0xffffffffffffffff).DecidesAs(image));
}

TEST(Image, DecidesNotAsOneThatDiffersAnywhereElse) {
  const Image image = Full();
  const std::vector<std::byte> bytes(image.bytes().begin(), image.bytes().end());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::vector<std::byte> changed = bytes;
    changed[i] ^= std::byte{1};
    const bool in_generation = i >= offsetof(srcsel_header, generation) &&
                               i < offsetof(srcsel_header, generation) + sizeof(__u64);
    ASSERT_EQ(image.DecidesAs(Image(std::move(changed))), in_generation) << "byte " << i;
    if (i > 512) i += 61;
  }
  std::vector<std::byte> longer = bytes;
  longer.resize(longer.size() + SRCSEL_PAGE);
  EXPECT_FALSE(image.DecidesAs(Image(std::move(longer))));
}

TEST(Image, OfTheSameInputIsTheSame) {
  EXPECT_TRUE(std::ranges::equal(Full().bytes(), Full().bytes()));
}

TEST(Image, OfTheSameRoutesInAnotherOrderDecidesTheSame) {
  std::vector<Route> routes;
  for (int i = 0; i < 50; ++i)
    routes.push_back(RouteTo(absl::StrCat("10.", i, ".0.0/16"), RT_TABLE_MAIN, 2,
                             absl::StrCat("10.0.0.", i % 9)));
  const Image image = ImageOf(StateOf({}, routes), {Binding("1")});
  std::ranges::reverse(routes);
  const Image reversed = ImageOf(StateOf({}, routes), {Binding("1")});
  for (int i = 0; i < 60; ++i) {
    const srcsel_flow flow = FlowTo(absl::StrCat("10.", i, ".1.2"));
    const srcsel_decision one = Decide(image, flow), other = Decide(reversed, flow);
    EXPECT_EQ(std::memcmp(&one, &other, sizeof(one)), 0) << i;
  }
}

}  // namespace
}  // namespace srcsel
