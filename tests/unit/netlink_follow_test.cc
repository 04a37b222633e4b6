#include <linux/if.h>
#include <poll.h>

#include <algorithm>
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
  Changes Drain(const Gateways &gateways = Gateways()) {
    const absl::StatusOr<Changes> changes = follower_->Drain(gateways);
    EXPECT_TRUE(changes.ok()) << changes.status();
    return changes.value_or(Changes());
  }
  void ExpectChange(const std::string &what) {
    EXPECT_EQ(Poll(10000), POLLIN) << what;
    EXPECT_TRUE(Drain().routing) << what;
  }
  void ExpectChangeBy(const std::string &words) {
    ASSERT_NO_FATAL_FAILURE(Ip(words));
    ExpectChange(words);
  }
  void ExpectQuiet() {
    EXPECT_EQ(Poll(0), 0);
    EXPECT_EQ(Drain(), Changes());
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
    SetSysctl(absl::StrCat(family, "/conf/lo/ignore_routes_with_linkdown"), "1");
    ExpectChange(family);
  }
}

TEST_F(Following, HearsBuckets) {
  Ip("nexthop add id 1 dev lo");
  Ip("nexthop add id 2 dev lo");
  Ip("nexthop add id 9 group 1/2 type resilient buckets 4 idle_timer 0");
  Drain();
  ExpectChangeBy("nexthop replace id 9 group 2 type resilient");
}

TEST_F(Following, HearsWhatWasLost) {
  // Far more than a socket holds.
  std::string lines;
  for (int i = 1; i <= 5000; ++i)
    absl::StrAppend(&lines, "route add 198.18.", i / 250, ".", i % 250, " dev lo table 100\n");
  IpBatch(lines);
  ExpectChange("5,000 routes");
  ExpectQuiet();
  ExpectChangeBy("rule add pref 1 table 100");
}

class FollowingNeighbours : public Following {
 protected:
  void SetUp() override {
    Following::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDevices();
    Ip("route add default via 10.0.0.254");
    Ip("nexthop add id 1 via fd00::fe dev v0");
    // The kernel announces a veth's carrier some time after `ip` is done.
    while (!Runs("v0") || !Runs("v1")) {
      ASSERT_EQ(Poll(10000), POLLIN);
      Drain();
    }
    ReadGateways();
    Drain();
  }

  static bool Runs(const char *name) { return LinkNamed(name).flags & IFF_RUNNING; }
  void ReadGateways() { gateways_ = Gateways(Read()); }
  // `ip neighbour` with these words: whether it changes a gateway.
  bool ChangesBy(const std::string &words) {
    Ip(absl::StrCat("neighbour ", words));
    EXPECT_EQ(Poll(10000), POLLIN) << words;
    const Changes changes = Drain(gateways_);
    EXPECT_FALSE(changes.routing) << words;
    return changes.neighbours;
  }

  Gateways gateways_;
};

TEST_F(FollowingNeighbours, HearsGateways) {
  EXPECT_TRUE(ChangesBy("add 10.0.0.254 lladdr 02:00:00:00:00:01 dev v0"));
  EXPECT_TRUE(ChangesBy("add fd00::fe lladdr 02:00:00:00:00:01 dev v0"));
  ReadGateways();
  EXPECT_TRUE(ChangesBy("change 10.0.0.254 nud failed dev v0"));
  EXPECT_TRUE(ChangesBy("del fd00::fe dev v0"));
}

TEST_F(FollowingNeighbours, HearsNobodyElse) {
  EXPECT_FALSE(ChangesBy("add 10.0.0.9 lladdr 02:00:00:00:00:01 dev v0"));
  EXPECT_FALSE(ChangesBy("add 10.0.0.254 lladdr 02:00:00:00:00:01 dev v1"));
  EXPECT_FALSE(ChangesBy("add fd00::fd lladdr 02:00:00:00:00:01 dev v0"));
  EXPECT_FALSE(ChangesBy("change 10.0.0.9 nud failed dev v0"));
  EXPECT_FALSE(ChangesBy("del 10.0.0.9 dev v0"));
}

TEST_F(FollowingNeighbours, HearsOnlyClasses) {
  const auto change = [&](const std::string &state) {
    return ChangesBy(
        absl::StrCat("replace 10.0.0.254 lladdr 02:00:00:00:00:01 dev v0 nud ", state));
  };
  EXPECT_TRUE(change("permanent"));
  ReadGateways();
  EXPECT_FALSE(change("noarp"));
  EXPECT_FALSE(change("stale"));
  EXPECT_TRUE(change("reachable"));
  ReadGateways();
  EXPECT_TRUE(ChangesBy("del 10.0.0.254 dev v0"));
}

TEST_F(FollowingNeighbours, HearsNoBridge) {
  Ip("link add br0 type bridge");
  Ip("link set v1 master br0");
  Drain();
  ASSERT_EQ(std::system("bridge fdb add 02:00:00:00:00:09 dev v1 master"), 0);
  EXPECT_EQ(Poll(10000), POLLIN);
  EXPECT_EQ(Drain(gateways_), Changes());
}

// Whatever is lost of a flood, nothing but neighbours is in doubt.
TEST_F(FollowingNeighbours, AFloodIsNoChangeOfRoutes) {
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    absl::StrAppend(&lines, "neighbour replace 10.0.0.9 lladdr 02:00:00:00:00:0", 1 + i % 2,
                    " dev v0\n");
  IpBatch(lines);
  EXPECT_EQ(Poll(10000), POLLIN);
  EXPECT_EQ(Drain(gateways_), (Changes{.routing = false, .neighbours = true}));
  ExpectQuiet();
}

// A device is announced as down before its routes go, and nothing announces those.
TEST_F(Following, ReadingSeesTheSilentConsequences) {
  SetSysctl("ipv6/conf/lo/disable_ipv6", "1");
  std::string routes;
  for (int i = 0; i < 10000; ++i)
    absl::StrAppend(&routes, "route add 198.18.", i / 250, ".", i % 250, " dev lo table 100\n");
  const auto count = [] {
    const Routes all = Read().routes;
    return std::ranges::count_if(all.entries(),
                                 [&](const auto &r) { return all.TermsOf(r).table == 100; });
  };
  for (int round = 0; round < 20; ++round) {
    Ip("link set lo up");
    IpBatch(routes);
    ASSERT_TRUE(Drain().routing);
    std::thread down([] { Ip("link set lo down"); });
    std::ptrdiff_t left = 1;
    while (Poll(left == 0 ? 0 : 10000) != 0) {
      ASSERT_TRUE(Drain().routing);
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
