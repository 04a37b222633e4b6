// The choice among several IPv4 default routes against the kernel's: random defaults with gateways
// in all states, and lookups and connections one after the other, which move the kernel's memory.

#include "lookup/default_rotation.hh"

#include <linux/neighbour.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "differential/hosts/compare.hh"
#include "draw.hh"
#include "lab/host.hh"
#include "oracle.hh"

namespace srcsel {
namespace {

constexpr int kWorlds = 80;
constexpr int kLookups = 12;
constexpr std::uint32_t kFirstLink = 10, kLinks = 4;  // ifindex

struct Default {
  unsigned link = 0;
  std::string gateway;  // empty: on the link
  bool usable = true;
  bool multipath = false;
  DefaultRoute route;

  std::uint32_t oif() const { return kFirstLink + link; }
};

std::string HopText(std::uint32_t oif, const std::string &gateway) {
  return absl::StrCat("dev ", oif, gateway.empty() ? "" : " via ", gateway);
}

class World {
 public:
  static absl::StatusOr<World> Build(Draw &draw) {
    SRCSEL_ASSIGN_OR_RETURN(lab::Host host, lab::Host::Create("world"));
    World world(draw, std::move(host));
    SRCSEL_RETURN_IF_ERROR(world.MakeLinks());
    SRCSEL_RETURN_IF_ERROR(world.MakeRoutes());
    SRCSEL_RETURN_IF_ERROR(world.MakeNeighbours());
    return world;
  }

  const lab::Host &host() const { return host_; }
  // In the kernel's order.
  const std::vector<Default> &defaults() const { return defaults_; }

  static std::string SourceOn(unsigned link) { return absl::StrCat("10.1", link, ".0.1"); }
  static int MtuOf(unsigned link) { return 1400 + static_cast<int>(link); }

 private:
  World(Draw &draw, lab::Host host) : draw_(draw), host_(std::move(host)) {}

  absl::Status MakeLinks() {
    std::vector<std::string> lines = {"link set lo up"};
    for (unsigned i = 0; i < kLinks; ++i) {
      carrier_.push_back(i == 0 || !draw_.Once(8));
      lines.push_back(
          absl::StrCat("link add v", i, " index ", kFirstLink + i, " type veth peer name w", i));
      if (carrier_[i]) lines.push_back(absl::StrCat("link set w", i, " up"));
      lines.push_back(absl::StrCat("link set v", i, " up mtu ", MtuOf(i)));
      lines.push_back(absl::StrCat("address add ", SourceOn(i), "/24 dev v", i));
    }
    SRCSEL_RETURN_IF_ERROR(host_.IpBatch("-4", lines));
    SRCSEL_RETURN_IF_ERROR(host_.SetSysctl("net.ipv4.conf.all.ignore_routes_with_linkdown", "1"));
    for (unsigned i = 0; i < kLinks; ++i)  // so that states stay
      for (const char *timer : {"base_reachable_time_ms", "retrans_time_ms"})
        SRCSEL_RETURN_IF_ERROR(
            host_.SetSysctl(absl::StrCat("net.ipv4.neigh.v", i, ".", timer), "100000000"));
    return absl::OkStatus();
  }

  absl::Status MakeRoutes() {
    std::vector<std::string> lines;
    for (unsigned n = 2 + draw_.Below(5); n > 0; --n) {
      Default added;
      added.link = n % kLinks;
      added.usable = carrier_[added.link];
      const std::string gateway = absl::StrCat("10.1", added.link, ".0.", 200 + n);
      if (n <= kLinks && draw_.Once(10))
        added.route.scope = RT_SCOPE_LINK;
      else
        added.gateway = gateway;
      if (draw_.Once(10) && !added.gateway.empty()) added.route.scope = RT_SCOPE_SITE;
      added.route.gateway = !added.gateway.empty();
      added.route.type = n == 1 && draw_.Once(4) ? RTN_UNREACHABLE : RTN_UNICAST;
      added.route.metric = draw_.Once(5) ? 5 : 0;
      added.route.tos = draw_.Once(4) ? 0x10 : 0;
      added.multipath = draw_.Once(10);
      if (added.route.type == RTN_UNREACHABLE)
        added.route.gateway = added.multipath = false, added.route.scope = RT_SCOPE_UNIVERSE;
      lines.push_back(absl::StrCat("route append ", Words(added)));
      defaults_.push_back(added);
    }
    const auto key = [](const Default &d) { return std::pair(-d.route.tos, d.route.metric); };
    std::ranges::stable_sort(defaults_, {}, key);
    return host_.IpBatch("-4", lines);
  }

  static std::string Words(const Default &added) {
    const std::string key =
        absl::StrCat("default metric ", added.route.metric, " tos 0x", absl::Hex(added.route.tos));
    if (added.route.type == RTN_UNREACHABLE) return absl::StrCat("unreachable ", key);
    const std::string via = added.gateway.empty() ? "" : absl::StrCat("via ", added.gateway);
    const std::string hop = absl::StrCat(via, " dev v", added.link);
    return absl::StrCat(key, " scope ", added.route.scope, " ",
                        added.multipath ? absl::StrCat("nexthop ", hop, " nexthop dev v0") : hop);
  }

  absl::Status MakeNeighbours() {
    static const std::vector<std::pair<const char *, std::uint16_t>> kStates = {
        {"none", NUD_NONE},     {"incomplete", NUD_INCOMPLETE}, {"reachable", NUD_REACHABLE},
        {"stale", NUD_STALE},   {"stale", NUD_STALE},           {"permanent", NUD_PERMANENT},
        {"failed", NUD_FAILED}, {"failed", NUD_FAILED},         {"noarp", NUD_NOARP}};
    std::vector<std::string> lines;
    for (Default &each : defaults_) {
      if (!each.route.gateway || draw_.Once(6)) continue;
      const auto &[name, state] = draw_.OneOf(kStates);
      each.route.neighbour = state;
      lines.push_back(absl::StrCat("neigh replace ", each.gateway,
                                   " lladdr 02:00:00:00:00:01 dev v", each.link,
                                   " extern_learn nud ", name));
    }
    return host_.IpBatch("-4", lines);
  }

  Draw &draw_;
  lab::Host host_;
  std::vector<bool> carrier_;
  std::vector<Default> defaults_;
};

// The library's side of one namespace: it knows the memory, for it was there from the beginning.
class Mirror {
 public:
  explicit Mirror(const std::vector<Default> &defaults) : defaults_(defaults) {
    for (const Default &each : defaults) routes_.push_back(each.route);
  }

  // What the walk through the table finds; nothing but unusable routes: none.
  const Default *Found(std::uint8_t tos) const {
    const auto fits = [tos](const Default &each) {
      const bool is_for_tos = each.route.tos == 0 || each.route.tos == (tos & 0x1c);
      return is_for_tos && (each.usable || each.multipath || each.route.type != RTN_UNICAST);
    };
    const auto found = std::ranges::find_if(defaults_, fits);
    return found == defaults_.end() ? nullptr : &*found;
  }

  const Default &Lookup(const Default &found, std::uint8_t tos) {
    const auto index = static_cast<std::size_t>(&found - defaults_.data());
    const auto [memory, fresh] = memories_.try_emplace(index, -1);
    const DefaultTurn turn = RotateDefault(routes_, index, tos, memory->second);
    memory->second = turn.memory;
    const std::vector<std::size_t> any = ChooseDefault(routes_, index, tos).candidates;
    EXPECT_TRUE(std::ranges::binary_search(any, turn.index));
    ++(any.size() == 1 ? exact : open);
    return defaults_[turn.index];
  }

  int exact = 0, open = 0;  // lookups with one candidate, and with several

 private:
  const std::vector<Default> &defaults_;
  std::vector<DefaultRoute> routes_;
  std::map<std::size_t, int> memories_;
};

absl::Status CompareLookups(Draw &draw, Mirror &mirror) {
  SRCSEL_ASSIGN_OR_RETURN(const RouteOracle oracle, RouteOracle::Open());
  for (int i = 0; i < kLookups; ++i) {
    Question question;
    question.to = IpAddress::Parse("203.0.113.1").value();
    question.tos = draw.Once(3) ? 0x10 : 0;
    const Default *found = mirror.Found(question.tos);
    if (found != nullptr && found->multipath) continue;
    SCOPED_TRACE(absl::StrCat("lookup ", i, " tos ", question.tos));
    if (found == nullptr || found->route.type != RTN_UNICAST) {
      EXPECT_NE(oracle.Ask(question).value().error, 0);
    } else if (question.tos == 0 && draw.Once(3)) {
      const Default first = mirror.Lookup(*found, 0), second = mirror.Lookup(*found, 0);
      const Connected connected = Connect({.to = question.to, .port = 53});
      EXPECT_EQ(connected.error, 0);
      EXPECT_EQ(connected.source.ToString(), World::SourceOn(first.link));
      EXPECT_EQ(connected.mtu, World::MtuOf(second.link));
    } else {
      const Default taken = mirror.Lookup(*found, question.tos);
      SRCSEL_ASSIGN_OR_RETURN(const Outcome reply, oracle.Ask(question));
      EXPECT_EQ(HopText(reply.oif, reply.gateway ? reply.gateway->ToString() : ""),
                HopText(taken.oif(), taken.gateway));
    }
  }
  return absl::OkStatus();
}

// The library's answer to whole flows, whatever the memory: the kernel's is among its candidates.
absl::Status CompareFlows(Draw &draw, std::map<Ambiguity, int> &answers) {
  SRCSEL_ASSIGN_OR_RETURN(const RouteOracle oracle, RouteOracle::Open());
  SRCSEL_ASSIGN_OR_RETURN(Reading reading, Reading::Open());
  for (int i = 0; i < kLookups; ++i) {
    Flow flow;
    flow.destination = IpAddress::Parse("203.0.113.1").value();
    flow.proto = IPPROTO_UDP;
    flow.dport = 53;
    flow.tos = draw.Once(3) ? 0x10 : 0;
    const Way way = draw.Once(2) ? Way::kLookup : Way::kConnect;
    SRCSEL_ASSIGN_OR_RETURN(const Comparison seen, Compare(reading, oracle, way, flow));
    if (!seen.asked) continue;
    EXPECT_TRUE(seen.agrees) << "tos " << flow.tos << ": " << InWords(seen.ours)
                             << ", and the kernel: " << seen.kernel;
    ++answers[seen.ours.why];
  }
  return absl::OkStatus();
}

TEST(DefaultRotation, TakesTheDefaultThatTheGatewaysStatesSay) {
  if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
  if (!KernelIsAtLeast(6, 18)) GTEST_SKIP() << "Linux before 6.18 judges gateways by other rules";
  Draw draw(Seed());
  int exact = 0, open = 0;
  std::map<Ambiguity, int> flows;
  for (int i = 0; i < kWorlds && !testing::Test::HasFailure(); ++i) {
    absl::StatusOr<World> world = World::Build(draw);
    ASSERT_TRUE(world.ok()) << world.status();
    Mirror mirror(world->defaults());
    const absl::Status compared = lab::Within(world->host().netns().fd(), [&] {
      SRCSEL_RETURN_IF_ERROR(CompareLookups(draw, mirror));
      return CompareFlows(draw, flows);
    });
    ASSERT_TRUE(compared.ok()) << compared;
    exact += mirror.exact;
    open += mirror.open;
    if (testing::Test::HasFailure())
      std::cout << world->host().Ip("route show").value()
                << world->host().Ip("neigh show nud all").value();
  }
  std::cout << "lookups as predicted: " << exact << " whatever the memory, " << open << " by it"
            << std::endl;
  std::cout << "flows as predicted: " << flows[Ambiguity::kNone] << " exactly, "
            << flows[Ambiguity::kRotation] << " ambiguous by it" << std::endl;
  EXPECT_GT(flows[Ambiguity::kNone], 0);
  EXPECT_GT(flows[Ambiguity::kRotation], kWorlds);
  EXPECT_GT(exact, kWorlds * kLookups / 4);
  EXPECT_GT(open, kWorlds * kLookups / 10);
}

}  // namespace
}  // namespace srcsel
