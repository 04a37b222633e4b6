// The choice among several paths against the kernel's: random multipath routes, nexthop groups and
// resilient groups with links and neighbours in all states, under random settings, and for random
// flows the device and gateway that a route lookup gives, and the source and device of a connect().

#include <linux/nexthop.h>

#include <iostream>
#include <map>

#include <gtest/gtest.h>

#include "multipath_predict.hh"

namespace srcsel {
namespace {

constexpr int kWorlds = 8;  // a family
constexpr int kSettings = 12;
constexpr int kFlows = 400;

// The lookups of a UDP connect(): IPv4 looks up again with the source that the first one gave, IPv6
// takes the source of a group's first member, whichever it goes by.
std::optional<Way> PredictConnect(const Destination &destination, const Settings &settings,
                                  Question question) {
  const auto taken = [&]() -> std::optional<Way> {
    const PathChoice choice = Predict(destination, settings, question);
    if (!choice.exact()) return std::nullopt;
    return destination.ways[*choice.exact()];
  };
  std::optional<Way> way = taken();
  if (!way) return way;
  if (!question.from.IsUnspecified()) {
    way->path.source = question.from;
  } else if (question.to.is_v4()) {
    question.from = *way->path.source;
    way = taken();
    way->path.source = question.from;
  } else if (destination.spread != Spread::kNexthops) {
    way->path.source = destination.ways.front().path.source;
  }
  return way;
}

class KnownHashTest : public MultipathTest {
 protected:
  // In the namespace, as are the following.
  static void CompareLookup(const RouteOracle &oracle, const Destination &destination,
                            const Settings &settings, const Question &question) {
    const PathChoice choice = Predict(destination, settings, question);
    const absl::StatusOr<Outcome> reply = oracle.Ask(question);
    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_LE(choice.candidates.size(), 1u);
    EXPECT_EQ(reply->error ? "" : HopText(reply->oif, reply->gateway),
              HopText(destination, choice));
  }

  static void CompareConnect(const Destination &destination, const Settings &settings,
                             const Question &question) {
    Dial dial{.to = question.to, .port = question.dport, .from_port = question.sport};
    if (!question.from.IsUnspecified()) dial.from = question.from;
    const std::optional<Way> way = PredictConnect(destination, settings, question);
    const Connected connected = Connect(dial);
    EXPECT_EQ(connected.error == 0, way.has_value());
    if (connected.error || !way) return;
    EXPECT_EQ(connected.source, way->path.source);
    EXPECT_EQ(connected.mtu, MultipathWorld::MtuOf(way->path.oif));
  }

  absl::Status CompareFlows(Draw &draw, MultipathWorld &world, const Settings &settings) {
    SRCSEL_ASSIGN_OR_RETURN(const RouteOracle oracle, RouteOracle::Open());
    for (int i = 0; i < kFlows && !HasFailure(); ++i) {
      const unsigned n = draw.Below(MultipathWorld::kDestinations);
      const Destination &destination = world.destinations()[n];
      const Question question = DrawQuestion(draw, world, n);
      SCOPED_TRACE(absl::StrCat(question.ToString(), ", ", SpreadText(destination.spread),
                                ", policies ", settings.multipath_policy[0], " ",
                                settings.multipath_policy[1]));
      // Of a lookup asked for by netlink, IPv4 hashes a made-up packet, in policy 3 differently.
      if (!v4() || settings.multipath_policy[0] != 3) {
        CompareLookup(oracle, destination, settings, question);
        ++lookups_[destination.spread];
      }
      if (question.proto == IPPROTO_UDP && question.oif == 0 && question.flow_label == 0) {
        CompareConnect(destination, settings, question);
        ++connects_[destination.spread];
      }
    }
    return absl::OkStatus();
  }

  std::map<Spread, int> lookups_, connects_;
};

TEST_P(KnownHashTest, TakesThePathThatTheHashSays) {
  Draw draw(Seed());
  for (int i = 0; i < kWorlds && !HasFailure(); ++i) {
    absl::StatusOr<MultipathWorld> world = MultipathWorld::Build(draw, v4());
    ASSERT_TRUE(world.ok()) << world.status();
    for (int j = 0; j < kSettings && !HasFailure(); ++j) {
      Settings settings = DrawSettings(draw);
      settings.forwarding6_all = j % 2;
      ASSERT_TRUE(Apply(world->host(), settings).ok());
      const absl::Status compared = lab::Within(
          world->host().netns().fd(), [&] { return CompareFlows(draw, *world, settings); });
      ASSERT_TRUE(compared.ok()) << compared;
    }
    EXPECT_TRUE(world->NeighboursStand().value());
  }
  for (const Spread spread : {Spread::kNexthops, Spread::kGroup, Spread::kResilient}) {
    std::cout << (v4() ? "IPv4, " : "IPv6, ") << SpreadText(spread) << ": " << lookups_[spread]
              << " lookups and " << connects_[spread] << " connects as predicted" << std::endl;
    EXPECT_GT(lookups_[spread], kWorlds * kSettings * kFlows / 10);
    EXPECT_GT(connects_[spread], kWorlds * kSettings * kFlows / 50);
  }
}

// `ip` of Debian 12 knows weights of 8 bits.
absl::Status AddGroup(std::uint32_t id, const std::vector<NexthopMember> &members) {
  struct Entry {  // nexthop_grp since Linux 6.12
    std::uint32_t id;
    std::uint8_t weight, weight_high;
    std::uint16_t reserved;
  };
  std::vector<Entry> group;
  for (const auto &[member, weight] : members)
    group.push_back({member, static_cast<std::uint8_t>(weight - 1),
                     static_cast<std::uint8_t>((weight - 1) >> 8), 0});
  NetlinkRequest request(RTM_NEWNEXTHOP, NLM_F_CREATE | NLM_F_ACK, nhmsg{});
  request.Add(NHA_ID, id);
  request.Add(NHA_GROUP, group.data(), group.size() * sizeof(Entry));
  return Do(request);
}

TEST_P(KnownHashTest, SharesByWeightsOf16Bits) {
  Draw draw(Seed());
  const lab::Host host = lab::Host::Create("host").value();
  const std::vector<NexthopMember> members = {{1, 65535}, {2, 300}, {3, 20000}};
  std::vector<std::string> lines = {"link set lo up"};
  Destination destination;
  destination.spread = Spread::kGroup;
  for (const auto &[id, weight] : members) {
    lines.push_back(
        absl::StrCat("link add v", id, " index ", 10 + id, " type veth peer name w", id));
    lines.push_back(absl::StrCat("link set w", id, " up"));
    lines.push_back(absl::StrCat("link set v", id, " up"));
    lines.push_back(absl::StrCat("nexthop add id ", id, " dev v", id));
    destination.ways.push_back({id, {}, {.oif = 10 + id, .weight = weight}});
  }
  ASSERT_TRUE(host.IpBatch(v4() ? "-4" : "-6", lines).ok());
  ASSERT_TRUE(lab::Within(host.netns().fd(), [&] { return AddGroup(9, members); }).ok());
  ASSERT_TRUE(
      host.Ip(absl::StrCat("route add ", v4() ? "20.0.0.0/8" : "fd20::/16", " nhid 9")).ok());
  Settings settings;
  settings.multipath_seed = 1 + draw.Below(0xffffffff);
  ASSERT_TRUE(Apply(host, settings).ok());
  std::map<std::string, int> taken;
  const absl::Status compared = lab::Within(host.netns().fd(), [&]() -> absl::Status {
    SRCSEL_ASSIGN_OR_RETURN(const RouteOracle oracle, RouteOracle::Open());
    for (int i = 0; i < 5000; ++i) {
      Question question;
      question.to = IpAddress::Parse(v4() ? absl::StrCat("20.0.", i / 256, ".", i % 256)
                                          : absl::StrCat("fd20::", absl::Hex(i)))
                        .value();
      CompareLookup(oracle, destination, settings, question);
      ++taken[HopText(destination, Predict(destination, settings, question))];
    }
    return absl::OkStatus();
  });
  ASSERT_TRUE(compared.ok()) << compared;
  EXPECT_EQ(taken.size(), members.size());
}

INSTANTIATE_TEST_SUITE_P(Families, KnownHashTest, testing::Bool(), KnownHashTest::NameOf);

}  // namespace
}  // namespace srcsel
