#include "lookup/multipath.hh"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "fixtures.hh"

namespace srcsel {
namespace {

constexpr std::uint32_t kFirst = 0, kLast = 0x7fffffff, kMiddle = 0x3fffffff;
constexpr std::array<std::uint16_t, 6> kValid = {NUD_REACHABLE, NUD_STALE,     NUD_DELAY,
                                                 NUD_PROBE,     NUD_PERMANENT, NUD_NOARP};
constexpr std::array<std::uint16_t, 2> kUnresolved = {NUD_NONE, NUD_INCOMPLETE};
constexpr std::uint16_t kFailed = NUD_FAILED;
const IpAddress kNone;

std::vector<Path> Weighing(std::vector<std::uint32_t> weights) {
  std::vector<Path> paths;
  for (const std::uint32_t weight : weights) paths.push_back({.weight = weight});
  return paths;
}

std::string Text(const PathChoice &choice) {
  return absl::StrJoin(choice.candidates, " ");
}

// ---- shares -----------------------------------------------------------------------------------

TEST(Multipath, SharesByWeight) {
  EXPECT_EQ(UpperBounds(Weighing({1})), std::vector<std::int32_t>{0x7fffffff});
  EXPECT_EQ(UpperBounds(Weighing({1, 1})), (std::vector<std::int32_t>{0x3fffffff, 0x7fffffff}));
  EXPECT_EQ(UpperBounds(Weighing({1, 3})), (std::vector<std::int32_t>{0x1fffffff, 0x7fffffff}));
}

TEST(Multipath, RoundsBoundsToTheNearest) {
  // 2^31 / 3 is 715827882.67, 2^32 / 3 is 1431655765.33.
  EXPECT_EQ(UpperBounds(Weighing({1, 1, 1})),
            (std::vector<std::int32_t>{715827882, 1431655764, 0x7fffffff}));
}

TEST(Multipath, GivesNoShareToWhatIsNotUsable) {
  std::vector<Path> paths = Weighing({1, 5, 1});
  paths[1].usable = false;
  EXPECT_EQ(UpperBounds(paths), (std::vector<std::int32_t>{0x3fffffff, -1, 0x7fffffff}));
  paths[0].usable = paths[2].usable = false;
  EXPECT_EQ(UpperBounds(paths), (std::vector<std::int32_t>{-1, -1, -1}));
  EXPECT_EQ(ChooseNexthop4(paths, kNone, false, kFirst), PathChoice{});
}

TEST(Multipath, SharesAmongHeavyMembers) {
  const std::vector<std::int32_t> bounds = UpperBounds(Weighing({65535, 65535, 1}));
  EXPECT_EQ(bounds[2], 0x7fffffff);
  EXPECT_EQ(bounds[2] - bounds[1], 16384);
}

// ---- nexthops of an IPv4 route ----------------------------------------------------------------

std::vector<Path> Owned(std::vector<const char *> sources) {
  std::vector<Path> paths;
  for (const char *source : sources) paths.push_back({.source = Address(source)});
  return paths;
}

std::string Nexthop4(const std::vector<Path> &paths, const char *source, Hash hash,
                     bool use_neigh = false) {
  return Text(ChooseNexthop4(paths, Address(source), use_neigh, hash));
}

TEST(Multipath, TakesTheFirstNexthopWhoseBoundReachesTheHash) {
  const std::vector<Path> paths = Weighing({1, 1});
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kFirst), "0");
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kMiddle), "0");
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kMiddle + 1), "1");
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kLast), "1");
}

TEST(Multipath, PrefersTheNexthopThatOwnsTheSource) {
  const std::vector<Path> paths = Owned({"10.0.0.1", "10.1.0.1", "10.2.0.1"});
  for (const Hash hash : {Hash(kFirst), Hash(kMiddle), Hash(kLast), Hash()})
    EXPECT_EQ(Nexthop4(paths, "10.1.0.1", hash), "1");
}

TEST(Multipath, HashesAmongNexthopsOfOneSource) {
  const std::vector<Path> paths = Owned({"10.0.0.1", "10.1.0.1", "10.0.0.1"});
  EXPECT_EQ(Nexthop4(paths, "10.0.0.1", kFirst), "0");
  EXPECT_EQ(Nexthop4(paths, "10.0.0.1", kMiddle), "2");
  EXPECT_EQ(Nexthop4(paths, "10.0.0.1", std::nullopt), "0 2");
}

// Bounds grow: where an owner's bound is below the hash, a later owner's may not be.
TEST(Multipath, KeepsAnOwnerThatTheHashHasPassed) {
  const std::vector<Path> paths = Owned({"10.0.0.1", "10.1.0.1"});
  EXPECT_EQ(Nexthop4(paths, "10.0.0.1", kLast), "0");
}

TEST(Multipath, HashesPurelyForASourceThatNoNexthopOwns) {
  const std::vector<Path> paths = Owned({"10.0.0.1", "10.1.0.1"});
  EXPECT_EQ(Nexthop4(paths, "10.9.0.1", kFirst), "0");
  EXPECT_EQ(Nexthop4(paths, "10.9.0.1", kLast), "1");
  EXPECT_EQ(Nexthop4(paths, "10.9.0.1", std::nullopt), "0 1");
}

TEST(Multipath, DoesNotTakeAnAbsentSourceForAnOwners) {
  std::vector<Path> paths = Owned({"10.0.0.1", "0.0.0.0"});
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kFirst), "0");
}

// Those of which it may be the source, and the one that is hashed to if it is nobody's.
TEST(Multipath, NamesWhateverOwnersThereMayBe) {
  std::vector<Path> paths = Owned({"10.9.0.1", "10.9.0.1", "10.9.0.1"});
  for (Path &path : paths) path.kept_sources = {Address("10.7.0.1")};
  paths[1].kept_sources = {Address("10.1.0.1"), Address("10.2.0.1")};
  EXPECT_EQ(Nexthop4(paths, "10.9.0.1", kLast), "2");
  EXPECT_EQ(Nexthop4(paths, "10.1.0.1", kFirst), "0 1");
  EXPECT_EQ(Nexthop4(paths, "10.1.0.1", kMiddle), "1");
  EXPECT_EQ(Nexthop4(paths, "10.7.0.1", kMiddle), "0 1 2");
  paths[2].kept_sources = {};
  paths[2].source = Address("10.1.0.1");
  EXPECT_EQ(Nexthop4(paths, "10.1.0.1", kFirst), "1 2");
  EXPECT_EQ(Nexthop4(paths, "10.1.0.1", kLast), "2");
}

TEST(Multipath, PassesAnOwnerThatIsNotUsable) {
  std::vector<Path> paths = Owned({"10.0.0.1", "10.1.0.1", "10.2.0.1"});
  paths[1].usable = false;
  EXPECT_EQ(Nexthop4(paths, "10.1.0.1", kFirst), "0");
  EXPECT_EQ(Nexthop4(paths, "10.1.0.1", std::nullopt), "0 2");
}

TEST(Multipath, AsksTheNeighboursOfNexthopsOnlyIfToldTo) {
  std::vector<Path> paths = Weighing({1, 1, 1});
  paths[0].neighbour = NUD_FAILED;
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kFirst), "0");
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kFirst, true), "1");
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", std::nullopt, true), "1 2");
}

// With all scores at 0 the first in order is kept.
TEST(Multipath, KeepsTheFirstGoodNexthopWhereTheHashFallsOnABadLastOne) {
  std::vector<Path> paths = Weighing({1, 1, 1});
  paths[2].neighbour = NUD_INCOMPLETE;
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", kLast, true), "0");
}

TEST(Multipath, FallsBackToTheFirstUsableNexthop) {
  std::vector<Path> paths = Weighing({1, 1, 1});
  for (Path &path : paths) path.neighbour = NUD_FAILED;
  paths[0].usable = false;
  EXPECT_EQ(Nexthop4(paths, "0.0.0.0", std::nullopt, true), "1");
}

// ---- members of a group -----------------------------------------------------------------------

TEST(Multipath, TakesTheFirstMemberWhoseBoundReachesTheHash) {
  const std::vector<Path> paths = Weighing({1, 1});
  EXPECT_EQ(Text(ChooseMember(paths, kMiddle)), "0");
  EXPECT_EQ(Text(ChooseMember(paths, kMiddle + 1)), "1");
  EXPECT_EQ(Text(ChooseMember(paths, std::nullopt)), "0 1");
}

TEST(Multipath, PrefersNoMemberForItsSource) {
  const std::vector<Path> paths = Owned({"10.0.0.1", "10.1.0.1"});
  EXPECT_EQ(Text(ChooseMember(paths, kFirst)), "0");
}

TEST(Multipath, GivesTheFlowsOfABadMemberToTheNext) {
  std::vector<Path> paths = Weighing({1, 1, 1, 1});
  paths[1].neighbour = NUD_FAILED;
  EXPECT_EQ(Text(ChooseMember(paths, kMiddle)), "2");
  EXPECT_EQ(Text(ChooseMember(paths, std::nullopt)), "0 2 3");
}

TEST(Multipath, GivesTheFlowsOfABadLastMemberToTheFirstGoodOne) {
  std::vector<Path> paths = Weighing({1, 1, 1, 1});
  paths[0].neighbour = paths[3].neighbour = NUD_NONE;
  EXPECT_EQ(Text(ChooseMember(paths, kLast)), "1");
}

TEST(Multipath, TakesTheFirstMemberIfAllAreBad) {
  std::vector<Path> paths = Weighing({1, 1});
  paths[0].neighbour = paths[1].neighbour = NUD_INCOMPLETE;
  EXPECT_EQ(Text(ChooseMember(paths, kLast)), "0");
  EXPECT_EQ(Text(ChooseMember(paths, std::nullopt)), "0");
}

TEST(Multipath, TakesGatewaysForGoodThatAreUnknownOrValid) {
  for (const std::uint16_t state : kValid) EXPECT_TRUE(UsableInGroup(state));
  EXPECT_TRUE(UsableInGroup(std::nullopt));
  for (const std::uint16_t state : kUnresolved) EXPECT_FALSE(UsableInGroup(state));
  EXPECT_FALSE(UsableInGroup(kFailed));
}

// ---- buckets ----------------------------------------------------------------------------------

Paths Resilient(std::vector<std::uint32_t> buckets) {
  return {.choice = Choice::kResilient, .all = Weighing({1, 1, 1}), .buckets = std::move(buckets)};
}

TEST(Multipath, TakesTheMemberOfTheHashsBucket) {
  const Paths group = Resilient({1, 0, 1, 2});
  EXPECT_EQ(Text(ChooseBucket(group, 0)), "1");
  EXPECT_EQ(Text(ChooseBucket(group, 5)), "0");
  EXPECT_EQ(Text(ChooseBucket(group, kLast)), "2");
}

TEST(Multipath, TakesAnyMemberThatHasABucketForAnUnknownHash) {
  EXPECT_EQ(Text(ChooseBucket(Resilient({2, 0, 2}), std::nullopt)), "0 2");
}

TEST(Multipath, TakesAnyMemberWhereTheBucketsAreNotKnown) {
  EXPECT_EQ(Text(ChooseBucket(Resilient({}), 5)), "0 1 2");
  EXPECT_EQ(Text(ChooseBucket(Resilient({}), std::nullopt)), "0 1 2");
}

// ---- IPv6 siblings ----------------------------------------------------------------------------

std::vector<Path> Through(std::vector<std::uint32_t> oifs) {
  std::vector<Path> paths;
  for (const std::uint32_t oif : oifs) paths.push_back({.oif = oif});
  return paths;
}

TEST(Multipath, TakesTheHashedSibling) {
  const std::vector<Path> paths = Through({2, 3});
  EXPECT_EQ(Text(ChooseSibling(paths, 0, {}, kMiddle)), "0");
  EXPECT_EQ(Text(ChooseSibling(paths, 0, {}, kLast)), "1");
  EXPECT_EQ(Text(ChooseSibling(paths, 0, {}, std::nullopt)), "0 1");
}

TEST(Multipath, KeepsTheMatchWhereTheHashedSiblingIsOnAnotherDevice) {
  const std::vector<Path> paths = Through({2, 3, 4});
  EXPECT_EQ(Text(ChooseSibling(paths, 1, {.strict_oif = 3}, kFirst)), "1");
  EXPECT_EQ(Text(ChooseSibling(paths, 1, {.strict_oif = 3}, std::nullopt)), "1");
}

TEST(Multipath, KeepsTheMatchWhereTheHashedSiblingsGatewayHasFailed) {
  std::vector<Path> paths = Through({2, 3, 4});
  paths[2].neighbour = NUD_FAILED;
  EXPECT_EQ(Text(ChooseSibling(paths, 0, {}, kLast)), "0");
  EXPECT_EQ(Text(ChooseSibling(paths, 0, {.ask_neighbours = false}, kLast)), "2");
}

TEST(Multipath, RefusesOnlyFailedGatewaysAsRouters) {
  for (const std::uint16_t state : kValid) EXPECT_TRUE(UsableAsRouter6(state));
  for (const std::uint16_t state : kUnresolved) EXPECT_TRUE(UsableAsRouter6(state));
  EXPECT_TRUE(UsableAsRouter6(std::nullopt));
  EXPECT_FALSE(UsableAsRouter6(kFailed));
}

TEST(Multipath, GivesNoShareToASiblingThatIsNotUsable) {
  std::vector<Path> paths = Through({2, 3});
  paths[0].usable = false;
  EXPECT_EQ(Text(ChooseSibling(paths, 1, {}, std::nullopt)), "1");
}

}  // namespace
}  // namespace srcsel
