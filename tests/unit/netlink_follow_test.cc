#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "netlink/follow.hh"
#include "netlink_netns.hh"

namespace srcsel {
namespace {

// All on lo, where the kernel announces nothing later than it happens (a veth's carrier it does).
class Following : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    absl::StatusOr<Follower> follower = Follower::Open();
    ASSERT_TRUE(follower.ok()) << follower.status();
    follower_.emplace(*std::move(follower));
  }

  // What poll() reports within that time.
  short Poll(int milliseconds) {
    pollfd one{follower_->fd(), POLLIN, 0};
    poll(&one, 1, milliseconds);
    return one.revents;
  }
  void ExpectChange(const std::string &what) {
    EXPECT_EQ(Poll(10000), POLLIN) << what;
    const absl::StatusOr<bool> changed = follower_->Drain();
    ASSERT_TRUE(changed.ok()) << changed.status();
    EXPECT_TRUE(*changed) << what;
  }
  void ExpectChangeBy(const std::string &words) {
    ASSERT_NO_FATAL_FAILURE(Ip(words));
    ExpectChange(words);
  }
  void ExpectQuiet() {
    EXPECT_EQ(Poll(0), 0);
    const absl::StatusOr<bool> changed = follower_->Drain();
    ASSERT_TRUE(changed.ok()) << changed.status();
    EXPECT_FALSE(*changed);
  }

  std::optional<Follower> follower_;
};

TEST_F(Following, HearsEveryKindOfChange) {
  for (const char *words :
       {"rule add pref 100 fwmark 5 table 100", "-6 rule add pref 100 fwmark 5 table 100",
        "route add 198.51.100.0/24 dev lo", "-6 route add 2001:db8::/32 dev lo",
        "route del 198.51.100.0/24", "address add 192.0.2.1/32 dev lo",
        "address change 127.0.0.1/8 dev lo valid_lft 2000 preferred_lft 1000",
        "address change ::1/128 dev lo noprefixroute",
        "address change ::1/128 dev lo noprefixroute valid_lft 2000 preferred_lft 1000",
        "link set lo group 7", "nexthop add id 1 blackhole", "link add v0 type veth peer name v1",
        "link del v0"}) {
    ExpectQuiet();
    ExpectChangeBy(words);
  }
}

TEST_F(Following, HearsSettings) {
  for (const char *family : {"ipv4", "ipv6"}) {
    ExpectQuiet();
    std::ofstream(absl::StrCat("/proc/sys/net/", family, "/conf/lo/ignore_routes_with_linkdown"))
        << 1;
    ExpectChange(family);
  }
}

TEST_F(Following, DoesNotHearNeighbours) {
  Ip("neighbour add 10.0.0.9 lladdr 02:00:00:00:00:09 dev lo");
  ExpectQuiet();
}

TEST_F(Following, HearsWhatWasLost) {
  const int smallest = 1;
  ASSERT_EQ(setsockopt(follower_->fd(), SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)), 0);
  std::string lines;
  for (int i = 1; i <= 200; ++i) absl::StrAppend(&lines, "rule add pref ", i, " table 100\n");
  IpBatch(lines);
  EXPECT_EQ(Poll(10000), POLLIN | POLLERR);
  const absl::StatusOr<bool> changed = follower_->Drain();
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_TRUE(*changed);
  ExpectQuiet();
  ExpectChangeBy("rule del pref 1");
}

// A device is announced as down before its routes go, and nothing announces those.
TEST_F(Following, ReadingSeesTheSilentConsequences) {
  std::ofstream("/proc/sys/net/ipv6/conf/lo/disable_ipv6") << 1;
  std::string routes;
  for (int i = 0; i < 10000; ++i)
    absl::StrAppend(&routes, "route add 198.18.", i / 250, ".", i % 250, " dev lo table 100\n");
  const auto count = [] {
    const Routes all = Read().routes;
    return std::ranges::count_if(
        all.entries(), [&](const Routes::Entry &r) { return all.TermsOf(r).table == 100; });
  };
  for (int round = 0; round < 20; ++round) {
    Ip("link set lo up");
    IpBatch(routes);
    ASSERT_TRUE(*follower_->Drain());
    std::thread down([] { Ip("link set lo down"); });
    std::ptrdiff_t left = 1;
    while (Poll(left == 0 ? 0 : 10000) != 0) {
      ASSERT_TRUE(*follower_->Drain());
      left = count();
    }
    down.join();
    ASSERT_EQ(left, 0) << "in round " << round;
  }
}

TEST_F(Following, ReadingChangesNothing) {
  Read();
  ExpectQuiet();
}

}  // namespace
}  // namespace srcsel
