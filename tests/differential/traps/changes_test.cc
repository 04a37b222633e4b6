// What the kernel changes without a word, or with fewer words than one would think.

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "differential/traps/traps.hh"
#include "netlink/follow.hh"
#include "netlink/socket.hh"

namespace srcsel {
namespace {

// The types of the notifications of some groups, and what a Follower makes of them.
class Heard {
 public:
  explicit Heard(std::initializer_list<int> groups)
      : socket_(NetlinkSocket::Open().value()), follower_(Follower::Open().value()) {
    EXPECT_TRUE(socket_.SetNonBlocking().ok());
    for (const int group : groups) EXPECT_TRUE(socket_.Join(group).ok());
  }

  bool Changed() const { return follower_.Drain(Gateways()).value().routing; }

  std::vector<int> Types() const {
    std::vector<int> types;
    alignas(nlmsghdr) std::array<char, 32768> buffer;
    for (ssize_t size; (size = recv(socket_.fd(), buffer.data(), buffer.size(), 0)) > 0;) {
      auto left = static_cast<unsigned>(size);
      for (auto *message = reinterpret_cast<nlmsghdr *>(buffer.data()); NLMSG_OK(message, left);
           message = NLMSG_NEXT(message, left))
        types.push_back(message->nlmsg_type);
    }
    return types;
  }

 private:
  NetlinkSocket socket_;
  Follower follower_;
};

bool Has(const State &state, absl::string_view prefix) {
  return std::ranges::find(state.routes.entries(), Prefix::Parse(prefix).value(),
                           &Routes::Entry::dst) != state.routes.entries().end();
}

TEST_F(Traps, T10_ReplacedRouteIsNotAnnouncedAsDeleted) {
  MakeUplinks();
  Do({"ip -4 route add 20.0.0.0/8 via 10.0.0.254"});
  const Heard heard{RTNLGRP_IPV4_ROUTE};
  Do({"ip -4 route replace 20.0.0.0/8 via 10.1.0.254"});
  EXPECT_EQ(heard.Types(), std::vector<int>{RTM_NEWROUTE});
  EXPECT_TRUE(heard.Changed());
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(std::ranges::count(state().routes.entries(), Prefix::Parse("20.0.0.0/8").value(),
                               &Routes::Entry::dst),
            1);
}

TEST_F(Traps, T10_RoutesOfADeviceSetDownVanishInSilence) {
  MakeUplinks();
  Do({"ip -4 route add 20.0.0.0/8 via 10.1.0.254 dev v1"});
  ASSERT_TRUE(Has(state(), "20.0.0.0/8"));
  const Heard heard{RTNLGRP_IPV4_ROUTE};
  Do({"ip link set v1 down"});
  EXPECT_EQ(heard.Types(), std::vector<int>());
  EXPECT_TRUE(heard.Changed());
  EXPECT_FALSE(Has(state(), "20.0.0.0/8"));
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.0.0.1");
  // For good.
  Do({"ip link set v1 up"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.0.0.1");
}

TEST_F(Traps, T10_NexthopObjectsVanishInSilenceWithTheCarrier) {
  MakeUplinks();
  Do({"ip nexthop add id 40 via 10.1.0.254 dev v1", "ip -4 route add 20.0.0.0/8 nhid 40"});
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v1 10.1.0.1");
  const Heard heard{RTNLGRP_IPV4_ROUTE, RTNLGRP_NEXTHOP};
  Do({"ip link set w1 down"});
  EXPECT_EQ(heard.Types(), std::vector<int>());
  EXPECT_TRUE(heard.Changed());
  EXPECT_TRUE(state().nexthops.empty());
  EXPECT_FALSE(Has(state(), "20.0.0.0/8"));
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v0 10.0.0.1");
}

TEST_F(Traps, T10_PrefsrcOfIpv6IsStrippedInSilence) {
  MakeUplinks();
  Do({"ip addr add fd77::1/128 dev lo nodad",
      "ip -6 route add fd20::/32 via fd01::fe dev v1 src fd77::1"});
  EXPECT_EQ(Dial(Udp("fd20::1")), "v1 fd77::1");
  const Heard heard{RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV6_IFADDR};
  Do({"ip addr del fd77::1/128 dev lo"});
  const std::vector<int> types = heard.Types();
  EXPECT_EQ(std::ranges::count(types, RTM_NEWROUTE), 0);
  EXPECT_EQ(std::ranges::count(types, RTM_DELADDR), 1);
  EXPECT_TRUE(heard.Changed());
  EXPECT_TRUE(Has(state(), "fd20::/32"));
  EXPECT_EQ(Dial(Udp("fd20::1")), "v1 fd01::1");
}

TEST_F(Traps, T10_RuleFindsItsDeviceByALinksNewNameInSilence) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 oif other table 102", "ip -6 rule add pref 10 oif other prohibit",
      "ip -4 route add default via 10.1.0.254 dev v1 src 10.0.0.1 table 102"});
  Flow flow = Udp("20.0.0.1"), flow6 = Udp("fd20::1");
  flow.oif = flow6.oif = Index("v1");
  EXPECT_EQ(Dial(flow), "v1 10.1.0.1");
  EXPECT_EQ(Dial(flow6), "ENETUNREACH");
  const Heard heard{RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_LINK};
  Do({"ip link set v1 name other"});
  const std::vector<int> types = heard.Types();
  EXPECT_FALSE(types.empty());
  EXPECT_EQ(std::ranges::count(types, RTM_NEWLINK), std::ssize(types));
  EXPECT_TRUE(heard.Changed());
  EXPECT_EQ(Dial(flow), "other 10.0.0.1");
  EXPECT_EQ(Dial(flow6), "EACCES");
  // And lets go of it.
  Do({"ip link set other name v1"});
  EXPECT_EQ(Dial(flow), "v1 10.1.0.1");
}

}  // namespace
}  // namespace srcsel
