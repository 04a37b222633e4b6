// What doctor takes from the kernel's text files, and which addresses it finds astray.

#include <filesystem>

#include "fixtures.hh"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "srcsel/doctor/host_files.hh"
#include "srcsel/doctor/stray.hh"

namespace srcsel {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(HostFiles, MissingCapabilities) {
  EXPECT_THAT(MissingCaps("Name:\tx\nCapEff:\t000001ffffffffff\n"), IsEmpty());
  EXPECT_THAT(MissingCaps("CapEff:\t0000000000000000\nCapBnd:\t000001ffffffffff\n"),
              ElementsAre("CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"));
  EXPECT_THAT(MissingCaps("CapEff:\t0000000000201000\n"), ElementsAre("CAP_BPF", "CAP_PERFMON"));
  EXPECT_THAT(MissingCaps(""), IsEmpty());
}

TEST(HostFiles, Lockdown) {
  EXPECT_EQ(LockdownLevel("[none] integrity confidentiality\n"), "");
  EXPECT_EQ(LockdownLevel("none integrity [confidentiality]\n"), "confidentiality");
  EXPECT_EQ(LockdownLevel(""), "");
}

TEST(HostFiles, ControllersInUseHaveCgroups) {
  const std::string folder = testing::TempDir() + "doctor-" + std::to_string(getpid());
  std::filesystem::create_directories(folder + "/used/a");
  std::filesystem::create_directories(folder + "/idle");
  const auto line = [&](const char *point, const char *type, const char *options) {
    return "30 23 0:26 / " + folder + point + " rw,relatime shared:9 - " + type + " " + type +
           " rw," + options + "\n";
  };
  EXPECT_THAT(NetControllersInUse(line("/used", "cgroup", "net_cls,net_prio")),
              ElementsAre("net_cls", "net_prio"));
  EXPECT_THAT(NetControllersInUse(line("/idle", "cgroup", "net_cls")), IsEmpty());
  EXPECT_THAT(NetControllersInUse(line("/used", "cgroup", "memory")), IsEmpty());
  EXPECT_THAT(NetControllersInUse(line("/used", "cgroup2", "nsdelegate")), IsEmpty());
  std::filesystem::remove_all(folder);
}

Route DefaultBy(std::uint32_t device, std::uint32_t table, const char *gateway) {
  Route route = RouteTo("0.0.0.0/0", table, device);
  route.nexthops = {Via(device, gateway)};
  return route;
}

State TwoDefaults() {
  return StateOf(
      {On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")},
      {RouteTo("10.0.0.0/24", RT_TABLE_MAIN, 2), RouteTo("10.1.0.0/24", RT_TABLE_MAIN, 3),
       DefaultBy(2, RT_TABLE_MAIN, "10.0.0.254"), DefaultBy(3, 100, "10.1.0.254")});
}

std::vector<std::string> Strays(const State &state) {
  std::vector<std::string> texts;
  const std::vector<Stray> strays = FindStrays(state).value();
  for (const Stray &stray : strays)
    texts.push_back(stray.address.ToString() + ": " + stray.mend.ToString());
  return texts;
}

TEST(Strays, AreAddressesOfUplinksBesideTheDefaultOne) {
  EXPECT_THAT(Strays(TwoDefaults()),
              ElementsAre("10.1.0.1: ip rule add pref 32765 from 10.1.0.1 lookup 100"));
}

TEST(Strays, ARuleBySourceBringsThemHome) {
  State state = TwoDefaults();
  Rule from = Lookup(1000, 100);
  from.from = Net("10.1.0.0/24");
  state.rules.insert(state.rules.begin() + 1, from);
  EXPECT_THAT(Strays(state), IsEmpty());
}

TEST(Strays, ALanIsNoUplink) {
  EXPECT_THAT(Strays(StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24")},
                             {RouteTo("10.0.0.0/24", RT_TABLE_MAIN, 2),
                              RouteTo("10.1.0.0/24", RT_TABLE_MAIN, 3),
                              DefaultBy(2, RT_TABLE_MAIN, "10.0.0.254")})),
              IsEmpty());
}

TEST(Strays, AddressesOfALinkDoNotLeaveAtAll) {
  State state = TwoDefaults();
  state.addresses[1].scope = RT_SCOPE_LINK;
  EXPECT_THAT(Strays(state), IsEmpty());
}

}  // namespace
}  // namespace srcsel
