#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fixtures.hh"
#include "netlink/unlisted_routes.hh"

namespace srcsel {
namespace {

constexpr char kNowhere[] = "00000000000000000000000000000000";

// As the kernel prints a route to fd20::/32.
std::string Line(const char *gateway, const char *flags, const char *device) {
  return absl::StrCat("fd200000000000000000000000000000 20 ", kNowhere, " 00 ", gateway,
                      " 00000400 00000001 00000000 ", flags, "     ", device, "\n");
}

const std::string kByEth0 = Line("fd0000000000000000000000000000fe", "00000003", "eth0");
const std::string kByEth1 = Line("fd0100000000000000000000000000fe", "00000003", "eth1");
const std::string kForbids = Line(kNowhere, "00200200", "lo");
const std::string kAdvertised = Line("fe8000000000000000000000000000fe", "08450003", "eth1");

Route Known(std::uint32_t table, std::vector<Nexthop> nexthops) {
  Route route;
  route.dst = Net("fd20::/32");
  route.table = table;
  route.metric = 1024;
  route.nexthops = std::move(nexthops);
  return route;
}

Route Shared() {
  return Known(RT_TABLE_MAIN, {Via(2, "fd00::fe"), Via(3, "fd01::fe")});
}

// What is not all shown, when the file is that text: device and gateway of each way.
std::string Marked(std::vector<Route> routes, const std::string &text) {
  State state = StateOf({}, std::move(routes));
  AddUnlistedRoutes([&] { return text; }, state);
  std::string marked;
  for (std::size_t i = 0; i < state.routes.size(); ++i) {
    const Route route = state.routes.At(i);
    if (!route.not_all_shown) continue;
    absl::StrAppend(&marked, route.dst.ToString(), " pref ", route.pref, ":");
    for (const Nexthop &hop : route.nexthops)
      absl::StrAppend(&marked, " ", hop.oif, " ", hop.gateway ? hop.gateway->ToString() : "-");
    marked += "\n";
  }
  return marked;
}

TEST(UnlistedRoutes, AreThoseThatTheFileHasBesidesTheListed) {
  EXPECT_EQ(Marked({Shared()}, kByEth0 + kByEth1), "");
  EXPECT_EQ(Marked({Shared()}, kByEth0 + kForbids + kByEth1),
            "fd20::/32 pref 0: 2 fd00::fe 3 fd01::fe\n"
            "fd20::/32 pref 0: 1 -\n");
  EXPECT_EQ(Marked({Shared()}, kByEth0 + kAdvertised + kByEth1),
            "fd20::/32 pref 0: 2 fd00::fe 3 fd01::fe\n"
            "fd20::/32 pref 1: 3 fe80::fe\n");
}

TEST(UnlistedRoutes, AreNotThoseOfAnotherTableThatAreListed) {
  Route other = Known(100, {Via(1)});
  EXPECT_EQ(Marked({Shared(), other}, kByEth0 + kByEth1 + kForbids), "");
  other.metric = 1;
  EXPECT_NE(Marked({Shared(), other}, kByEth0 + kByEth1 + kForbids), "");
}

// The file has one way of a nexthop object, which may be a group.
TEST(UnlistedRoutes, AreNotThoseOfNexthopObjects) {
  Route other = Known(100, {});
  other.nexthop_id = 60;
  EXPECT_EQ(Marked({Shared(), other}, kByEth0 + kByEth1 + kAdvertised), "");
  other.nexthops = {Via(3, "fe80::fe"), Via(1)};
  EXPECT_EQ(Marked({Shared(), other}, kByEth0 + kByEth1 + kAdvertised), "");
  EXPECT_NE(Marked({Shared(), other}, kByEth0 + kForbids + kByEth1 + kAdvertised), "");
}

TEST(UnlistedRoutes, AreNotLookedForWhereNoRoutesShareFlowsOrTooManyAreListed) {
  bool read = false;
  const auto reading = [&] {
    read = true;
    return std::string();
  };
  State state = StateOf({}, {Known(RT_TABLE_MAIN, {Via(2)})});
  AddUnlistedRoutes(reading, state);
  EXPECT_FALSE(read);
  state.routes.push_back(Shared());
  const std::uint32_t terms = state.routes.entries()[0].terms;
  for (std::size_t i = 0; i < kMostListedRoutes; ++i) state.routes.push_back(Net("::/0"), terms);
  AddUnlistedRoutes(reading, state);
  EXPECT_FALSE(read);
  state.routes.Truncate(kMostListedRoutes);
  AddUnlistedRoutes(reading, state);
  EXPECT_TRUE(read);
}

TEST(UnlistedRoutes, AreNotReadFromWhatIsNoSuchLine) {
  const std::string cut = kForbids.substr(0, kForbids.size() - 4) + "\n";
  for (const std::string &line :
       {std::string("\n"), std::string("fd20\n"), cut, Line(kNowhere, "0020020g", "lo"),
        Line(kNowhere, "00200200", "gone"), Line("fe80", "00200200", "lo")})
    EXPECT_EQ(Marked({Shared()}, kByEth0 + line + kByEth1), "") << line;
}

}  // namespace
}  // namespace srcsel
