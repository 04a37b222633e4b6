// The ways a program opens a flow (programs/ways.py says each as "SOURCE PORT SOURCE PORT": what
// the server saw, and what getsockname() said), and the kinds of rule they are tried under.

#pragma once

#include <iostream>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/egress.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {

using Words = std::vector<std::string>;

// The first connects again with a port that was free to another destination: to the server, no flow
// before it may have that port.
inline const Words kWaysOfStreams{"again-after-a-refusal",
                                  "tcp",
                                  "nonblocking",
                                  "bound-to-any",
                                  "thread",
                                  "passed",
                                  "fastopen-message",
                                  "fastopen-connect",
                                  "mptcp"};
inline const Words kWaysOfDatagrams{"udp", "udp-again", "sendto", "sendmsg"};
inline const Words kWaysOfMapped{"mapped", "sendto-mapped"};
inline const Words kOtherWays{"inherited", "sendmmsg", "sendto-on-connected",
                              "sendmsg-on-connected", "sendmmsg-on-connected"};
inline const Words kWaysOfPing{"ping", "ping-sendto"}, kWaysOfRaw{"raw", "raw-sendto"};
inline const Words kWaysOfRing{"connect", "connect-worker", "connect-polled",
                               "send",    "send-worker",    "send-polled"};

struct RuleKind {
  std::string name;
  Words options;     // {} stands for a policy file
  std::string rule;  // what that says
  int first_port = 0;

  friend void PrintTo(const RuleKind &kind, std::ostream *out) { *out << kind.name; }
};

// Each has Unicom's sources; the ports are 200, from this one on.
inline std::vector<RuleKind> KindsOfRule(int first_port) {
  return {{"mark", {"--mark", "100"}, ""},
          {"source", {"--source", "10.1.0.1,fd00:1::1"}, ""},
          {"pool",
           {},
           "[pool.unicom]\nmembers = [ { source = \"10.1.0.1\" }, { source = \"10.1.0.2\" },\n"
           "  { source = \"fd00:1::1\" }, { source = \"fd00:1::2\" } ]\n"
           "pick = \"round-robin\"\n[[rule]]\nsource = \"pool unicom\"\n"},
          {"ports",
           {},
           absl::StrCat("[[rule]]\nsource = [\"10.1.0.1\", \"fd00:1::1\"]\nports = \"", first_port,
                        "-", first_port + 199, "\"\n"),
           first_port}};
}

// Ways and servers in turn, as ways.py takes them.
inline Words FlowsOf(const std::vector<Words> &ways_of_both, const Words &ways_of_v4) {
  Words flows;
  for (const Words &ways : ways_of_both)
    for (const std::string &way : ways)
      for (const char *server : {kServer4, kServer6}) flows.insert(flows.end(), {way, server});
  for (const std::string &way : ways_of_v4) flows.insert(flows.end(), {way, kServer4});
  return flows;
}

struct WayWanted {
  bool source, port;           // the rule's
  bool named;                  // getsockname() says the source
  absl::string_view why = {};  // no more can be had
};

// Holds the line to what is wanted.
inline void ExpectWay(const RuleKind &kind, bool v4, const Words &words, const WayWanted &wanted) {
  if (!wanted.source)
    EXPECT_EQ(words[0], v4 ? kTelecomSource4 : kTelecomSource6);
  else if (kind.name == "pool")
    EXPECT_THAT(words[0], v4 ? ::testing::AnyOf(kUnicomSource4, kUnicomOtherSource4)
                             : ::testing::AnyOf(kUnicomSource6, kUnicomOtherSource6));
  else
    EXPECT_EQ(words[0], v4 ? kUnicomSource4 : kUnicomSource6);
  EXPECT_EQ(words[1], words[3]);
  if (wanted.named) {
    EXPECT_EQ(words[0], words[2]);
  }
  int port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(words[1], &port));
  if (wanted.port) {
    EXPECT_THAT(port, ::testing::AllOf(::testing::Ge(kind.first_port),
                                       ::testing::Lt(kind.first_port + 200)));
  }
}

// The table: prints a line for each flow, with the device that it left by, and holds all of them to
// what `wanted` says of their ways. What was not to leave by eth0 must not have tried to.
template <typename F>
void ExpectWays(const RuleKind &kind, const Words &flows, const Words &lines, F wanted,
                Egress &egress) {
  std::set<Egress::Flow> by_eth0;
  ASSERT_EQ(lines.size() * 2, flows.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string &way = flows[2 * i], &server = flows[2 * i + 1];
    SCOPED_TRACE(absl::StrCat(way, " ", server, ": ", lines[i]));
    const Words words = absl::StrSplit(lines[i], ' ');
    ASSERT_THAT(words, ::testing::SizeIs(4));
    const Egress::Flow flow{Endpoint::Parse(words[0], words[1]).value(),
                            IpAddress::Parse(server).value()};
    const std::string devices = egress.DevicesOf(flow).value();
    const WayWanted want = wanted(way, server);
    std::cout << kind.name << '\t' << way << '\t' << server << '\t' << lines[i] << '\t' << devices
              << '\t' << want.why << '\n';
    EXPECT_EQ(devices, want.source ? "eth1" : "eth0");
    if (!want.source) by_eth0.insert(flow);
    ExpectWay(kind, server == kServer4, words, want);
  }
  for (const char *server : {kServer4, kServer6}) {
    const std::set<Egress::Flow> left = egress.FlowsBy(0, IpAddress::Parse(server).value()).value();
    for (const auto &[from, to] : left)
      EXPECT_TRUE(by_eth0.contains({from, to})) << from.ToString() << " left by eth0 to " << server;
  }
}

}  // namespace srcsel::lab
