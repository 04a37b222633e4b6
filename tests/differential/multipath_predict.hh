// What the library predicts of a MultipathWorld (multipath_world.hh), and the settings and
// questions that tests draw for it.

#pragma once

#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "lookup/flow_hash.hh"
#include "multipath_world.hh"
#include "oracle.hh"

namespace srcsel {

inline const char *SpreadText(Spread spread) {
  switch (spread) {
    case Spread::kNexthops:
      return "several nexthops";
    case Spread::kGroup:
      return "nexthop group";
    case Spread::kResilient:
      return "resilient group";
  }
  return "?";
}

inline Settings DrawSettings(Draw &draw) {
  Settings settings;
  for (const int family : {0, 1}) {
    settings.multipath_policy[family] = static_cast<std::uint8_t>(draw.Below(4));
    settings.multipath_fields[family] = 1 + draw.Below(0xfff);
  }
  settings.multipath_seed = 1 + draw.Below(0xffffffff);
  settings.multipath_use_neigh = draw.Once(2);
  return settings;
}

inline absl::Status Apply(const lab::Host &host, const Settings &settings) {
  const std::vector<std::pair<const char *, std::uint32_t>> values = {
      {"ipv4.fib_multipath_hash_policy", settings.multipath_policy[0]},
      {"ipv6.fib_multipath_hash_policy", settings.multipath_policy[1]},
      {"ipv4.fib_multipath_hash_fields", settings.multipath_fields[0]},
      {"ipv6.fib_multipath_hash_fields", settings.multipath_fields[1]},
      {"ipv4.fib_multipath_hash_seed", settings.multipath_seed},
      {"ipv4.fib_multipath_use_neigh", settings.multipath_use_neigh},
      {"ipv6.conf.all.forwarding", settings.forwarding6_all}};
  for (const auto &[name, value] : values)
    SRCSEL_RETURN_IF_ERROR(host.SetSysctl(absl::StrCat("net.", name), absl::StrCat(value)));
  return absl::OkStatus();
}

inline Question DrawQuestion(Draw &draw, MultipathWorld &world, unsigned destination) {
  Question question;
  question.to = world.AddressIn(destination);
  question.from = draw.Once(2) ? IpAddress::Any(question.to.family()) : world.OwnAddress();
  question.proto = draw.Once(2) ? IPPROTO_UDP : IPPROTO_TCP;
  question.sport = static_cast<std::uint16_t>(1024 + draw.Below(60000));
  question.dport = static_cast<std::uint16_t>(1 + draw.Below(65535));
  if (question.to.is_v4()) return question;
  if (draw.Once(2)) question.flow_label = draw.Below(0x100000);
  if (draw.Once(4)) question.oif = MultipathWorld::kFirstLink + draw.Below(MultipathWorld::kLinks);
  return question;
}

inline MultipathFlow FlowOf(const Question &question) {
  MultipathFlow flow;
  flow.dst = question.to;
  flow.src = question.from;
  flow.proto = question.proto;
  flow.sport = question.sport;
  flow.dport = question.dport;
  flow.flow_label = question.flow_label;
  return flow;
}

// What the lookup finds among siblings before it hashes: the best of those allowed, else of all;
// a device that is not strict is worth a better score.
inline std::optional<std::size_t> Match(const std::vector<Path> &paths, const Question &question,
                                        SiblingTerms terms) {
  for (; true; terms.ask_neighbours = false) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (!paths[i].usable || !SiblingAllowed(paths[i], terms)) continue;
      if (!best || (paths[i].oif == question.oif && paths[*best].oif != question.oif)) best = i;
    }
    if (best || !terms.ask_neighbours) return best;
  }
}

inline PathChoice Predict(const Destination &destination, const Settings &settings,
                          const Question &question, bool any_sport = false) {
  const Paths all = destination.AsPaths();
  const std::vector<Path> &paths = all.all;
  MultipathFlow flow = FlowOf(question);
  flow.any_sport = any_sport;
  const Hash hash = FlowHash(settings, flow);
  const SiblingTerms terms = {question.from.IsUnspecified() ? question.oif : 0,
                              !settings.forwarding6_all};
  const std::optional<std::size_t> match = Match(paths, question, terms);
  if (!match) return {};
  if (destination.spread == Spread::kResilient) return ChooseBucket(all, hash);
  if (destination.spread == Spread::kGroup) return ChooseMember(paths, hash);
  if (question.to.is_v4())
    return ChooseNexthop4(paths, question.from, settings.multipath_use_neigh, hash);
  return ChooseSibling(paths, *match, terms, hash);
}

inline std::string HopText(std::uint32_t oif, const std::optional<IpAddress> &gateway) {
  return absl::StrCat("dev ", oif, gateway ? " via " + gateway->ToString() : "");
}

inline std::string HopText(const Destination &destination, const PathChoice &choice) {
  std::vector<std::string> hops;
  for (const std::size_t i : choice.candidates)
    hops.push_back(HopText(destination.ways[i].path.oif, destination.ways[i].gateway));
  return absl::StrJoin(hops, " or ");
}

// Its parameter: whether of IPv4.
class MultipathTest : public testing::TestWithParam<bool> {
 public:
  static std::string NameOf(const testing::TestParamInfo<bool> &family) {
    return family.param ? "IPv4" : "IPv6";
  }

 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
    if (!KernelIsAtLeast(6, 18)) GTEST_SKIP() << "Linux before 6.18 chooses paths by other rules";
  }

  static bool v4() { return GetParam(); }
};

}  // namespace srcsel
