// The order of devices, in a namespace where indexes are no help.

#include <thread>

#include "netlink/device_order.hh"
#include "netlink_netns.hh"

namespace srcsel {
namespace {

using Order = std::vector<std::uint32_t>;
using Strings = std::vector<std::string>;

TEST(MergeOrders, KeepsBothOrders) {
  EXPECT_EQ(MergeOrders({}, {}), Order());
  EXPECT_EQ(MergeOrders({}, {3, 1}), (Order{3, 1}));
  EXPECT_EQ(MergeOrders({3, 1}, {}), (Order{3, 1}));
  EXPECT_EQ(MergeOrders({1, 9, 4}, {1, 4}), (Order{1, 9, 4}));
  EXPECT_EQ(MergeOrders({1, 4}, {7, 1, 8, 2, 4, 3}), (Order{7, 1, 8, 2, 4, 3}));
  EXPECT_EQ(MergeOrders({1, 2, 4}, {1, 3, 4}), (Order{1, 3, 2, 4}));
}

TEST(MergeOrders, TheFirstPrevails) {
  EXPECT_EQ(MergeOrders({1, 2, 3}, {3, 2, 1}), (Order{1, 2, 3}));
  EXPECT_EQ(MergeOrders({1, 2, 3}, {3, 5, 1, 6}), (Order{1, 6, 2, 3, 5}));
}

class DeviceOrder : public NetnsTest {
 protected:
  static Strings Names(const Order &order) {
    Strings names;
    const std::vector<Link> links = Read().links;
    for (const std::uint32_t index : order)
      for (const Link &link : links)
        if (link.index == index) names.push_back(link.name);
    return names;
  }
  static Strings Names() { return Names(Read().device_order); }
  static void AddBridge(const std::string &words) { Ip("link add " + words + " type bridge"); }
};

TEST_F(DeviceOrder, IsThatOfRegistrationNotOfIndexes) {
  AddBridge("index 70 c0");
  AddBridge("index 30 a0");
  AddBridge("index 50 b0");
  EXPECT_EQ(Names(), (Strings{"lo", "c0", "a0", "b0"}));
  Ip("link del c0");
  AddBridge("index 70 c0");
  EXPECT_EQ(Names(), (Strings{"lo", "a0", "b0", "c0"}));
}

// Neither state, addresses, names nor IPv6 being disabled has a say.
TEST_F(DeviceOrder, IsThatOfRegistrationWhateverHappensNext) {
  for (const char *words : {"index 9 d0", "index 8 c0", "index 7 b0", "index 6 a0"})
    AddBridge(words);
  Ip("link set a0 up");
  Ip("address add 10.0.0.1/24 dev b0");
  Ip("address add 10.0.1.1/24 dev d0 label d0:x");
  SetSysctl("ipv6/conf/c0/disable_ipv6", "1");
  Ip("link set d0 name e0");
  EXPECT_EQ(Names(), (Strings{"lo", "e0", "c0", "b0", "a0"}));
}

TEST_F(DeviceOrder, PutsADeviceThatMovesInAtTheEnd) {
  AddBridge("index 50 b0");
  Ip("link add index 40 v0 type veth peer name v1 index 41");
  AddBridge("index 30 a0");
  EXPECT_EQ(Names(), (Strings{"lo", "b0", "v1", "v0", "a0"}));
  const Fd here(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const std::string back = absl::StrCat("link set v0 netns /proc/", getpid(), "/fd/", here.get());
  const std::string there =
      absl::StrCat("link set v0 netns /proc/", getpid(), "/task/", gettid(), "/ns/net");
  std::thread([&] {
    ASSERT_TRUE(EnterNetns(here).ok());
    Ip(there);
  }).join();
  EXPECT_EQ(Names(), (Strings{"lo", "v0"}));
  Ip(back);
  ASSERT_TRUE(EnterNetns(here).ok());
  EXPECT_EQ(Names(), (Strings{"lo", "b0", "v1", "a0", "v0"}));
}

// Below 1280 bytes there is no IPv6.
TEST_F(DeviceOrder, IsKnownOfIPv4AloneByItsAddresses) {
  AddBridge("index 9 d0");
  AddBridge("index 8 c0");
  AddBridge("index 7 b0");
  AddBridge("index 6 a0");
  for (const char *name : {"d0", "b0", "a0"}) Ip(absl::StrCat("link set mtu 1000 dev ", name));
  EXPECT_EQ(Names(), (Strings{"lo", "c0"}));
  Ip("address add 10.0.0.1/24 dev a0 label a0:x");
  Ip("address add 10.0.1.1/24 dev b0");
  Ip("address add 10.0.2.1/24 dev b0 label b0:y");
  EXPECT_EQ(Names(), (Strings{"lo", "b0", "a0", "c0"}));
  Ip("address add 10.0.3.1/24 dev c0");
  Ip("address add 10.0.4.1/24 dev d0");
  EXPECT_EQ(Names(), (Strings{"lo", "d0", "c0", "b0", "a0"}));
}

TEST_F(DeviceOrder, IsReadWholeForManyDevices) {
  std::string lines;
  Strings expected = {"lo"};
  for (int i = 0; i < 200; ++i) {
    expected.push_back(absl::StrCat("b", i));
    absl::StrAppend(&lines, "link add index ", 1000 - i, " b", i, " mtu ", i % 2 ? 1500 : 1000,
                    " type bridge\naddress add 10.0.", i, ".1/24 dev b", i, "\n");
  }
  IpBatch(lines);
  EXPECT_EQ(Names(), expected);
}

}  // namespace
}  // namespace srcsel
