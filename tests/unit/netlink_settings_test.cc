// Settings in a namespace after `sysctl -w`.

#include <sys/mount.h>

#include <functional>
#include <thread>

#include "netlink/read_settings.hh"
#include "netlink_netns.hh"

namespace srcsel {
namespace {

class KernelSettings : public NetnsTest {
 protected:
  static Settings ReadHere() { return ReadSettings(NetnsFiles::Open()); }
  // Writes a value, and expects that and all that was written before.
  void Expect(const char *path, const char *value, const std::function<void(Settings &)> &change) {
    SetSysctl(path, value);
    change(expected_);
    EXPECT_EQ(ReadHere(), expected_) << path << " = " << value;
  }

  Settings expected_;
};

TEST_F(KernelSettings, OfANewNamespaceAreTheDefaults) {
  EXPECT_EQ(ReadHere(), Settings());
  EXPECT_EQ(Read().settings, Settings());
}

TEST_F(KernelSettings, AreReadOneByOne) {
  using S = Settings;
  Expect("ipv4/conf/all/route_localnet", "1", [](S &s) { s.route_localnet_all = true; });
  Expect("ipv4/conf/all/ignore_routes_with_linkdown", "1",
         [](S &s) { s.ignore_linkdown_all = true; });
  Expect("ipv4/ip_nonlocal_bind", "1", [](S &s) { s.ip_nonlocal_bind[0] = true; });
  Expect("ipv6/ip_nonlocal_bind", "1", [](S &s) { s.ip_nonlocal_bind[1] = true; });
  Expect("ipv6/conf/all/forwarding", "1", [](S &s) { s.forwarding6_all = true; });
  Expect("ipv6/conf/all/optimistic_dad", "1", [](S &s) { s.optimistic_dad_all = true; });
  Expect("ipv6/conf/all/use_optimistic", "1", [](S &s) { s.use_optimistic_all = true; });
  Expect("ipv4/fib_multipath_hash_policy", "1", [](S &s) { s.multipath_policy[0] = 1; });
  Expect("ipv6/fib_multipath_hash_policy", "3", [](S &s) { s.multipath_policy[1] = 3; });
  Expect("ipv4/fib_multipath_hash_fields", "51", [](S &s) { s.multipath_fields[0] = 51; });
  Expect("ipv6/fib_multipath_hash_fields", "1", [](S &s) { s.multipath_fields[1] = 1; });
  Expect("ipv4/fib_multipath_use_neigh", "1", [](S &s) { s.multipath_use_neigh = true; });
  Expect("ipv4/ip_local_port_range", "2000 65535",
         [](S &s) { s.port_first = 2000, s.port_last = 65535; });
  Expect("ipv6/conf/all/forwarding", "0", [](S &s) { s.forwarding6_all = false; });
  EXPECT_EQ(Read().settings, expected_);
}

TEST_F(KernelSettings, HaveASeedSinceLinux611) {
  if (access("/proc/sys/net/ipv4/fib_multipath_hash_seed", F_OK) != 0)
    GTEST_SKIP() << "this kernel has no fib_multipath_hash_seed";
  Expect("ipv4/fib_multipath_hash_seed", "4294967295",
         [](Settings &s) { s.multipath_seed = 0xffffffff; });
}

// /proc/sys/net is of the namespace of whoever looks; no mount is of a namespace's own.
TEST_F(KernelSettings, AreThoseOfTheNamespaceOfTheThreadThatOpened) {
  SetSysctl("ipv6/conf/all/forwarding", "1");
  SetSysctl("ipv4/fib_multipath_hash_policy", "2");
  expected_.forwarding6_all = true;
  expected_.multipath_policy[0] = 2;
  const NetnsFiles files = NetnsFiles::Open();
  std::thread([&] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    SetSysctl("ipv4/ip_nonlocal_bind", "1");
    Settings there;
    there.ip_nonlocal_bind[0] = true;
    EXPECT_EQ(ReadHere(), there);
    EXPECT_EQ(ReadSettings(files), expected_);
  }).join();
  EXPECT_EQ(ReadSettings(files), expected_);
  EXPECT_EQ(ReadHere(), expected_);
}

TEST_F(KernelSettings, FollowTheThreadThroughSetns) {
  SetSysctl("ipv4/fib_multipath_hash_policy", "1");
  const Fd first(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  EXPECT_EQ(ReadHere().multipath_policy[0], 0);
  ASSERT_TRUE(EnterNetns(first).ok());
  EXPECT_EQ(ReadHere().multipath_policy[0], 1);
}

TEST_F(KernelSettings, AreReadAgainFromTheSameFiles) {
  const NetnsFiles files = NetnsFiles::Open();
  EXPECT_EQ(ReadSettings(files), Settings());
  SetSysctl("ipv4/fib_multipath_hash_policy", "1");
  EXPECT_EQ(ReadSettings(files).multipath_policy[0], 1);
  SetSysctl("ipv4/fib_multipath_hash_policy", "0");
  EXPECT_EQ(ReadSettings(files), Settings());
}

// A directory hidden by another mount, as /proc is in some containers.
TEST_F(KernelSettings, WithoutProcAreTheDefaults) {
  SetSysctl("ipv4/fib_multipath_hash_policy", "1");
  std::thread([] {
    ASSERT_EQ(unshare(CLONE_FS | CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mount("none", "/proc", "tmpfs", 0, nullptr), 0);
    EXPECT_EQ(ReadHere(), Settings());
    EXPECT_EQ(Read().device_order.size(), 1u);
  }).join();
}

}  // namespace
}  // namespace srcsel
