// The choice among several paths where the hash is the kernel's secret or random: over many flows
// the kernel takes each of the candidates, and no other path.

#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "multipath_predict.hh"

namespace srcsel {
namespace {

constexpr absl::string_view kNoSyn =
    "table inet quiet { chain out { type filter hook output priority 0; tcp flags syn drop; }; }";

constexpr int kWorlds = 4;   // a family
constexpr int kFlows = 600;  // a path of the least share is missed once in 10^8 times

using Seen = std::set<std::string>;

class UnknownHashTest : public MultipathTest {
 protected:
  // All in the namespace. What lookups of one source to one destination give.
  static Seen Lookups(const RouteOracle &oracle, Draw &draw, MultipathWorld &world, unsigned n,
                      const IpAddress &from) {
    Seen seen;
    for (int i = 0; i < kFlows; ++i) {
      Question question = DrawQuestion(draw, world, n);
      question.from = from;
      question.oif = 0;
      const absl::StatusOr<Outcome> reply = oracle.Ask(question);
      EXPECT_TRUE(reply.ok()) << reply.status();
      if (reply->error == 0) seen.insert(HopText(reply->oif, reply->gateway));
    }
    return seen;
  }

  absl::Status CompareLookups(Draw &draw, MultipathWorld &world, const Settings &settings) {
    SRCSEL_ASSIGN_OR_RETURN(const RouteOracle oracle, RouteOracle::Open());
    for (unsigned n = 0; n < MultipathWorld::kDestinations; ++n) {
      const Destination &destination = world.destinations()[n];
      Question question;
      question.to = world.AddressIn(n);
      question.from = draw.Once(2) ? IpAddress::Any(question.to.family()) : world.OwnAddress();
      const PathChoice choice = Predict(destination, settings, question);
      Seen predicted;
      for (const std::size_t i : choice.candidates)
        predicted.insert(HopText(destination.ways[i].path.oif, destination.ways[i].gateway));
      EXPECT_EQ(Lookups(oracle, draw, world, n, question.from), predicted)
          << question.ToString() << ", " << SpreadText(destination.spread);
      ++(choice.exact() ? exact_ : open_);
    }
    return absl::OkStatus();
  }

  static std::string WayText(const IpAddress &source, std::uint32_t oif) {
    return absl::StrCat(source.ToString(), " mtu ", MultipathWorld::MtuOf(oif));
  }

  // The port of an unbound TCP socket is hashed at random, in each of the lookups of its connect().
  static Seen PredictTcp(const Destination &destination, const Settings &settings,
                         const Question &question) {
    Seen predicted;
    for (const std::size_t i : Predict(destination, settings, question, true).candidates) {
      const Path &first = destination.ways[i].path;
      Question again = question;
      again.from = *first.source;
      if (!v4())
        predicted.insert(WayText(*first.source, first.oif));
      else
        for (const std::size_t j : Predict(destination, settings, again, true).candidates)
          predicted.insert(WayText(*first.source, destination.ways[j].path.oif));
    }
    return predicted;
  }

  absl::Status CompareTcp(MultipathWorld &world, const Settings &settings) {
    for (unsigned n = 0; n < MultipathWorld::kDestinations; ++n) {
      const Destination &destination = world.destinations()[n];
      if (destination.spread != Spread::kNexthops) continue;
      Question question;
      question.to = world.AddressIn(n);
      question.proto = IPPROTO_TCP;
      question.dport = 80;
      const Seen predicted = PredictTcp(destination, settings, question);
      Seen seen;
      for (int i = 0; i < kFlows; ++i) {
        const Connected connected =
            Connect({.to = question.to, .port = question.dport, .type = SOCK_STREAM});
        if (connected.error == 0)
          seen.insert(absl::StrCat(connected.source.ToString(), " mtu ", connected.mtu));
      }
      EXPECT_EQ(seen, predicted) << question.ToString();
      ++(predicted.size() > 1 ? open_ : exact_);
    }
    return absl::OkStatus();
  }

  int exact_ = 0, open_ = 0;  // how many had one candidate, and several
};

TEST_P(UnknownHashTest, SecretSeedLeavesTheCandidates) {
  Draw draw(Seed());
  for (int i = 0; i < kWorlds && !HasFailure(); ++i) {
    absl::StatusOr<MultipathWorld> world = MultipathWorld::Build(draw, v4());
    ASSERT_TRUE(world.ok()) << world.status();
    Settings settings = DrawSettings(draw);
    settings.multipath_seed = 0;
    for (const int family : {0, 1}) settings.multipath_policy[family] %= 3;
    ASSERT_TRUE(Apply(world->host(), settings).ok());
    const absl::Status compared = lab::Within(
        world->host().netns().fd(), [&] { return CompareLookups(draw, *world, settings); });
    ASSERT_TRUE(compared.ok()) << compared;
    EXPECT_TRUE(world->NeighboursStand().value());
  }
  std::cout << "destinations: " << open_ << " with several candidates, " << exact_ << " with one"
            << std::endl;
  EXPECT_GT(open_, kWorlds);
}

// Of destinations that ask no neighbour. No SYN may leave: one that waits for a neighbour that
// never comes keeps its socket, the socket its namespace, and that the neighbour, for ever
// (Linux 6.18).
TEST_P(UnknownHashTest, TcpTakesAnyCandidate) {
  Draw draw(Seed());
  for (int i = 0; i < kWorlds && !HasFailure(); ++i) {
    absl::StatusOr<MultipathWorld> world = MultipathWorld::Build(draw, v4());
    ASSERT_TRUE(world.ok()) << world.status();
    Settings settings = DrawSettings(draw);
    settings.multipath_use_neigh = false;
    settings.forwarding6_all = true;
    for (const int family : {0, 1}) {
      settings.multipath_policy[family] = i % 2 ? 1 : 3;
      settings.multipath_fields[family] |= 0x10;
    }
    ASSERT_TRUE(Apply(world->host(), settings).ok());
    ASSERT_TRUE(world->host().Nft(kNoSyn).ok());
    const absl::Status compared =
        lab::Within(world->host().netns().fd(), [&] { return CompareTcp(*world, settings); });
    ASSERT_TRUE(compared.ok()) << compared;
  }
  std::cout << "destinations: " << open_ << " with several candidates, " << exact_ << " with one"
            << std::endl;
  EXPECT_GT(open_, kWorlds);
}

INSTANTIATE_TEST_SUITE_P(Families, UnknownHashTest, testing::Bool(), UnknownHashTest::NameOf);

}  // namespace
}  // namespace srcsel
