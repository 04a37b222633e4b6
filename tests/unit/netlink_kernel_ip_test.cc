// All that is read of a namespace, against what `ip` reads there: everything it prints is compared.

#include <linux/nexthop.h>

#include "netlink_as_ip_prints.hh"
#include "netlink_netns.hh"

namespace srcsel {
namespace {

class AgainstIp : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) MakeDevices();
  }

  static Json IpPrints(const std::string &words) {
    FILE *ip = popen(absl::StrCat("ip -N -d -j ", words).c_str(), "r");
    std::string text;
    char chunk[4096];
    while (const std::size_t size = std::fread(chunk, 1, sizeof(chunk), ip))
      text.append(chunk, size);
    EXPECT_EQ(pclose(ip), 0) << words;
    return text.empty() ? Json::array() : Json::parse(text);
  }

  template <typename List>
  static Json Printed(const State &state, const List &list) {
    const AsIpPrints print(state);
    Json all = Json::array();
    for (const auto &each : list) all.push_back(print(each));
    return all;
  }

  static void ExpectRules() {
    for (const int family : {AF_INET, AF_INET6}) {
      const State state = Read();
      std::vector<Rule> rules;
      for (const Rule &rule : state.rules)
        if (rule.family == family) rules.push_back(rule);
      EXPECT_EQ(Printed(state, rules), IpPrints(family == AF_INET ? "rule" : "-6 rule"));
    }
  }

  static void ExpectRoutes(int family) {
    const State state = Read();
    std::vector<Route> routes;
    for (std::size_t i = 0; i < state.routes.size(); ++i)
      if (state.routes.At(i).dst.address.family() == family) routes.push_back(state.routes.At(i));
    Json theirs =
        IpPrints(family == AF_INET ? "-4 route show table all" : "-6 route show table all");
    for (Json &route : theirs) {
      route.erase("nh_info");
      if (!route.contains("table")) route["table"] = Text(RT_TABLE_MAIN);
    }
    EXPECT_EQ(Printed(state, routes), theirs);
  }
  static std::string Text(int number) { return absl::StrCat(number); }
};

TEST_F(AgainstIp, Rules) {
  for (const char *ip : {"-4 rule add pref ", "-6 rule add pref "}) {
    int pref = 100;
    for (const char *words :
         {"not fwmark 0x64/0xff uidrange 5-6 ipproto tcp sport 53 dport 100-200 table 100",
          "iif v0 oif none0 tos 0x10 tun_id 77 table 100 protocol static",
          "fwmark 5 table main suppress_prefixlength 8 suppress_ifgroup 7", "iif none1 goto 32766",
          "ipproto 99 goto 5000", "l3mdev", "blackhole", "prohibit", "unreachable", "nop",
          "table 100000 suppress_ifgroup 0", "fwmark 0/0xf table 4294967295"})
      Ip(absl::StrCat(ip, pref++, " ", words));
  }
  Ip("rule add from 10.0.0.0/8 to 203.0.113.1 table 9 realms 3");
  Ip("-6 rule add from fd00::/8 to 2001:db8::1 dport 5 table 9");
  ExpectRules();
}

TEST_F(AgainstIp, Routes) {
  Ip("nexthop add id 1 via 10.0.0.254 dev v0");
  Ip("nexthop add id 2 dev v1");
  Ip("nexthop add id 9 group 1,5/2");
  for (const char *words :
       {"default via 10.0.0.254 metric 50", "198.51.100.0/24 nhid 1 table 100",
        "198.51.104.0/24 nhid 9 table 100000",
        "198.51.101.0/24 nexthop via 10.0.0.254 weight 3 nexthop via inet6 fe80::1 dev v1 onlink"
        " nexthop dev v1 weight 256",
        "198.51.102.0/24 via 10.0.0.2 src 10.0.0.1 tos 0x10 proto static mtu 1400",
        "198.51.105.0/24 via inet6 fe80::1 dev v0", "blackhole 198.51.103.0/24",
        "throw 198.51.106.0/24 table 7", "local 198.51.107.1 dev v1"})
    Ip(absl::StrCat("route add ", words));
  ExpectRoutes(AF_INET);
}

TEST_F(AgainstIp, RoutesOfIPv6) {
  Ip("nexthop add id 1 via fd00::fe dev v0");
  for (const char *words :
       {"2001:db8::/32 from fd00::/8 dev v0 table 100 pref high", "2001:db8:3::1 nhid 1",
        "default via fe80::1 dev v0 src fd00::1 metric 7 mtu 1300",
        "2001:db8:1::/48 nexthop via fd00::fe weight 2 nexthop via fe80::1 dev v1",
        "unreachable 2001:db8:2::/48 table 100000"})
    Ip(absl::StrCat("-6 route add ", words));
  ExpectRoutes(AF_INET6);
}

TEST_F(AgainstIp, NexthopObjects) {
  for (const char *words :
       {"id 1 via 10.0.0.254 dev v0", "id 2 dev v1", "id 3 blackhole", "id 4 via fe80::1 dev v0",
        "id 5 fdb via 10.0.0.7", "id 6 via 192.0.2.1 dev v0 onlink", "id 10 group 1,200/2,256",
        "id 12 group 1,3/2 type resilient buckets 32", "id 4294967295 group 4"})
    Ip(absl::StrCat("nexthop add ", words));
  const State state = Read();
  Json theirs = IpPrints("nexthop");
  for (Json &object : theirs)
    if (object.contains("resilient_args"))
      for (const char *key : {"idle_timer", "unbalanced_timer", "unbalanced_time"})
        object["resilient_args"].erase(key);
  EXPECT_EQ(Printed(state, state.nexthops), theirs);
}

// This host's iproute2 neither asks for nor prints them.
TEST_F(AgainstIp, WeightsOf16BitsSinceLinux612) {
  Ip("nexthop add id 1 dev v0");
  const nexthop_grp wide = {1, 0xfe, 0xff, 0};
  const AttributeBytes group =
      AttributeBytes().Put<std::uint32_t>(NHA_ID, 2).PutBytes(NHA_GROUP, &wide, sizeof(wide));
  if (!KernelIsAtLeast(6, 12)) GTEST_SKIP() << "weights have eight bits here";
  Create(Message(RTM_NEWNEXTHOP, nhmsg{}, group));
  EXPECT_EQ(Read().nexthops.at(1).group, (std::vector<NexthopMember>{{1, 65535}}));
}

TEST_F(AgainstIp, Buckets) {
  for (const char *words : {"id 1 dev v0", "id 2 dev v1", "id 7 group 1/2 type resilient buckets 8",
                            "id 8 group 1/2", "id 9 group 2,3/1 type resilient buckets 16"})
    Ip(absl::StrCat("nexthop add ", words));
  Json ours = Json::array(), theirs = Json::array();
  for (const NexthopObject &object : Read().nexthops)
    for (std::size_t i = 0; i < object.buckets.size(); ++i)
      ours.push_back({{"id", object.id}, {"index", i}, {"nhid", object.buckets[i]}});
  for (const Json &bucket : IpPrints("nexthop bucket"))
    theirs.push_back({{"id", bucket["id"]},
                      {"index", bucket["bucket"]["index"]},
                      {"nhid", bucket["bucket"]["nhid"]}});
  EXPECT_EQ(ours.size(), 24u);
  EXPECT_EQ(ours, theirs);
}

// All begin as permanent: of others there may be no more than the machine, not the namespace, has
// room for.
TEST_F(AgainstIp, Neighbours) {
  const std::pair<const char *, const char *> neighbours[] = {{"10.0.0.9 dev v0", "permanent"},
                                                              {"10.0.0.8 dev v0", "failed"},
                                                              {"10.0.0.7 dev v1", "stale"},
                                                              {"fe80::1 dev v1", "noarp"},
                                                              {"fd00::2 dev v0", "reachable"}};
  for (const auto &[words, state] : neighbours) {
    Ip(absl::StrCat("neighbour add ", words, " lladdr 02:00:00:00:00:09"));
    Ip(absl::StrCat("neighbour change ", words, " lladdr 02:00:00:00:00:09 nud ", state));
  }
  Ip("neighbour add proxy 10.0.0.6 dev v0");
  const State state = Read();
  Json theirs = Json::array();
  for (const char *words : {"-4 neighbour show nud all", "-6 neighbour show nud all"})
    for (Json &neighbour : IpPrints(words)) {
      neighbour.erase("lladdr");
      const auto address = IpAddress::Parse(neighbour["dst"].get<std::string>());
      if (!address->IsMulticast() && !address->IsUnspecified()) theirs.push_back(neighbour);
    }
  EXPECT_EQ(state.neighbours.size(), 5u);
  EXPECT_EQ(Printed(state, state.neighbours), theirs);
}

TEST_F(AgainstIp, AddressLabels) {
  Ip("addrlabel add prefix 2001:db8::/32 label 99");
  Ip("addrlabel add prefix 2001:db8::/32 dev v0 label 4294967294");
  Ip("addrlabel del prefix 3ffe::/16 label 12");
  const State state = Read();
  EXPECT_EQ(state.labels.size(), 11u);
  EXPECT_EQ(Printed(state, state.labels), IpPrints("addrlabel"));
}

}  // namespace
}  // namespace srcsel
