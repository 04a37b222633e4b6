// srcsel explain: what is wrong with a flow's way, what mends it, and that it does, typed as it is
// printed.

#include "lab/explain_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ExplainTroubleTest : public ExplainTest {
 protected:
  // The only trouble's text.
  std::string TroubleOf(const Words &words) const {
    const Json troubles = ExplainJson(words)["troubles"];
    EXPECT_THAT(troubles, SizeIs(1)) << troubles;
    return troubles.empty() ? "" : troubles[0]["text"];
  }
  // Its only remedy, without what it brings.
  std::string RemedyOf(const Words &words) const {
    const Json troubles = ExplainJson(words)["troubles"];
    const Json remedies = troubles.empty() ? Json::array() : troubles[0]["remedies"];
    EXPECT_THAT(remedies, SizeIs(1)) << troubles;
    const std::string remedy = remedies.empty() ? "" : remedies[0];
    return remedy.substr(0, remedy.find("  # "));
  }
  void Type(const std::string &remedy) const {
    const Result typed = client_.Run({.argv = {"sh", "-c", remedy}}).value();
    EXPECT_TRUE(typed.ok()) << remedy << ": " << typed.ToString();
  }
  // The interface that it leaves by.
  std::string LeavesBy(const Words &words) const {
    return ExplainJson(words)["leaves"].value("dev", "");
  }
};

// The part behind " trouble: " of the text.
std::string Trouble(const Result &explain) {
  const std::size_t begin = explain.out.find("  trouble: ");
  return begin == std::string::npos ? "" : explain.out.substr(begin + 11);
}

TEST_F(ExplainTroubleTest, ASourceThatGoesAstrayAndTheRuleThatLeadsIt) {
  const Result explain = Explain({kServer4, "dport", "443", "from", kUnicomSource4});
  EXPECT_EQ(explain.status, 1);
  EXPECT_THAT(explain.out,
              AllOf(HasSubstr("  source: 10.1.0.1: the program binds it itself\n"),
                    HasSubstr("trouble: 10.1.0.1 is eth1's, and leaves by eth0. No ip rule leads"),
                    HasSubstr("    ip rule add pref 32765 from 10.1.0.1 lookup 100  # ")));
  Ip({"rule add pref 32765 from 10.1.0.1 lookup 100"});
  EXPECT_EQ(Explain({kServer4, "dport", "443", "from", kUnicomSource4}).status, 0);
}

TEST_F(ExplainTroubleTest, AMarkThatLeadsToADeadTable) {
  Ip({"route flush table 100", "route add default via 10.1.0.254 metric 500"});
  const Result explain = Explain({kServer4, "mark", "100"});
  EXPECT_EQ(explain.status, 1);
  const std::string remedy = "ip route add default via 10.1.0.254 dev eth1 table 100";
  EXPECT_EQ(Trouble(explain),
            absl::StrCat("ip rule 32765 leads mark 0x64 to table 100, which is empty: what has the "
                         "mark is routed as if it had none.\n    ",
                         remedy, "  # table 100 then has a default route\n"));
  EXPECT_EQ(Explain({kServer4}).status, 0) << "it does not concern what has no mark";
  ASSERT_TRUE(client_.Do(remedy).ok());
  EXPECT_EQ(Explain({kServer4, "mark", "100"}).status, 0);
}

TEST_F(ExplainTroubleTest, ASourceOfAnUplinkThatIsDown) {
  Ip({"address flush dev eth1", "address add 10.1.0.253/30 dev eth1", "link set eth1 down"});
  EXPECT_THAT(Trouble(Explain({kServer4, "from", "10.1.0.253"})),
              HasSubstr("    ip link set eth1 up && ip route add default via 10.1.0.254 dev eth1 "
                        "table 101 && ip rule add pref 32765 from 10.1.0.253 lookup 101  # "));
  Ip({"link set eth1 up", "route add default via 10.1.0.254 dev eth1 table 101",
      "rule add pref 32765 from 10.1.0.253 lookup 101"});
  EXPECT_EQ(Explain({kServer4, "from", "10.1.0.253"}).status, 0);
}

TEST_F(ExplainTroubleTest, ASourceWhoseGatewayNothingNames) {
  Ip({"link set eth1 down", "link set eth1 up"});
  const std::string trouble = Trouble(Explain({kServer4, "from", kUnicomSource4}));
  EXPECT_THAT(
      trouble,
      HasSubstr(
          " What is missing is the gateway behind eth1, for: ip route add default via "
          "GATEWAY dev eth1 table 101 && ip rule add pref 32765 from 10.1.0.1 lookup 101.\n"));
  EXPECT_THAT(trouble, Not(HasSubstr("  # ")));
}

TEST_F(ExplainTroubleTest, WhyThereIsNoWay) {
  Ip({"rule add pref 10 to 192.0.2.80 prohibit", "route add unreachable 192.0.2.81/32"});
  const Result refused = Explain({kServer4});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out,
              AllOf(HasSubstr("  leaves: not at all, Permission denied\n"),
                    HasSubstr("trouble: connect() fails with EACCES (Permission denied): ip rule "
                              "10 refuses it: from all to 192.0.2.80/32 prohibit\n")));
  EXPECT_THAT(Explain({kOtherServer4}).out,
              HasSubstr("EHOSTUNREACH (No route to host): ip rule 32766 leads to table main, where "
                        "a route of type unreachable is for 192.0.2.81\n"));
  Ip({"route del default"});
  EXPECT_THAT(Explain({"203.0.113.99"}).out,
              HasSubstr("ENETUNREACH (Network is unreachable): the ip rules have run out: no table "
                        "that they lead to has a route to 203.0.113.99\n"));
  EXPECT_THAT(Explain({"10.0.0.9", "from", "203.0.113.5"}).out,
              HasSubstr("203.0.113.5 is none of this host's addresses"));
}

TEST_F(ExplainTroubleTest, ARuleBySourceTakesNothingFromMarks) {
  Ip({"route add default via 10.0.0.254 dev eth0 src 10.0.0.1 table 200",
      "rule add pref 32764 fwmark 200 lookup 200"});
  const Words bound{kServer4, "from", kUnicomSource4},
      marked{kServer4, "from", kUnicomSource4, "mark", "200"};
  EXPECT_EQ(LeavesBy(marked), "eth0");
  const std::string remedy = RemedyOf(bound);
  EXPECT_EQ(remedy, "ip rule add pref 32765 from 10.1.0.1 lookup 100");
  Type(remedy);
  EXPECT_EQ(Explain(bound).status, 0);
  EXPECT_EQ(LeavesBy(marked), "eth0") << "what has the mark goes its way";
  EXPECT_THAT(TroubleOf(marked),
              AllOf(HasSubstr("Its mark leads it there, whatever its source. "),
                    HasSubstr(" The source that goes with it is 10.0.0.1: bind that instead.")));
}

// Of the same preference as the last rule by fwmark, in a table that is made for it.
TEST_F(ExplainTroubleTest, ARuleBySourceWithATableOfItsOwn) {
  Ip({"route flush table 100", "route add default via 10.1.0.254 metric 500"});
  const Words bound{kServer4, "from", kUnicomSource4};
  // A route of main's leaves by eth1 too, and is not the first.
  const std::string remedy = RemedyOf(bound);
  EXPECT_EQ(remedy,
            "ip route add default via 10.1.0.254 dev eth1 table 101 && ip rule add pref 32765 "
            "from 10.1.0.1 lookup 101");
  Type(remedy);
  EXPECT_EQ(Explain(bound).status, 0);
}

TEST_F(ExplainTroubleTest, AnUplinkWithoutAnAddress) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  Ip({"address flush dev eth1", "route add 10.1.0.0/24 dev eth1",
      "route add default via 10.1.0.254 dev eth1 table 100"});
  const std::string missing =
      " What is missing is an IPv4 address of eth1: ip address add ADDR/LEN dev eth1.\n";
  const Result late = Explain({kServer4, "dport", "80"}),
               early = Explain({kServer4, "mark", "100"});
  for (const Result &explain : {late, early}) {
    EXPECT_EQ(explain.status, 1);
    EXPECT_THAT(explain.out, AllOf(HasSubstr("10.0.0.1 is eth0's, and leaves by eth1. "),
                                   HasSubstr(missing), Not(HasSubstr("  # "))));
  }
  EXPECT_THAT(early.out, HasSubstr("The route names no source, and eth1 has none. "));
  Ip({"address add 10.1.0.1/24 dev eth1"});
  EXPECT_THAT(Explain({kServer4, "dport", "80"}).out,
              HasSubstr("    srcsel run --mark 0x64 -- COMMAND  # one command, from 10.1.0.1\n"));
  EXPECT_EQ(Explain({kServer4, "mark", "100"}).status, 0);
}

TEST_F(ExplainTroubleTest, AnUplinkWithoutAnIpv6Address) {
  ASSERT_TRUE(client_
                  .IpBatch("-6", {"address flush dev eth1 scope global",
                                  "route replace default via inet6 fd00:1::254 dev eth1 onlink "
                                  "table 100"})
                  .ok());
  EXPECT_THAT(
      TroubleOf({kServer6, "mark", "100"}),
      AllOf(HasSubstr("The route names no source, and eth1 has none. "),
            HasSubstr(" What is missing is an IPv6 address of eth1: ip address add ADDR/LEN "
                      "dev eth1.")));
}

TEST_F(ExplainTroubleTest, ARouteWithTheSourceOfAnotherUplink) {
  Ip({"route replace default via 10.1.0.254 dev eth1 src 10.0.0.1 table 100"});
  ASSERT_TRUE(
      client_
          .IpBatch("-6", {"route replace default via fd00:1::254 dev eth1 src fd00::1 table "
                          "100"})
          .ok());
  for (const char *server : {kServer4, kServer6}) {
    const Words marked{server, "mark", "100"};
    EXPECT_THAT(TroubleOf(marked), HasSubstr("The route names a source of another interface. "));
    Type(RemedyOf(marked));
    EXPECT_EQ(Explain(marked).status, 0) << server;
  }
}

// A rule by source would take all that the kernel gives this source from the mark.
TEST_F(ExplainTroubleTest, ASourceThatIsBoundBeforeTheFirewallMarks) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  const Json story = ExplainJson({kServer4, "dport", "80", "from", kTelecomSource4});
  EXPECT_THAT(story["troubles"][0]["text"].get<std::string>(),
              HasSubstr(" The source that goes with it is 10.1.0.1: bind that instead."));
  EXPECT_THAT(story["troubles"][0]["remedies"], IsEmpty());
  EXPECT_EQ(Explain({kServer4, "dport", "80", "from", kUnicomSource4}).status, 0);
}

TEST_F(ExplainTroubleTest, ASourceThatIsBoundBesideAnInterface) {
  const Json story = ExplainJson({kServer4, "from", kUnicomSource4, "oif", "eth0"});
  EXPECT_THAT(story["troubles"][0]["text"].get<std::string>(),
              AllOf(HasSubstr("The socket is bound to that interface. "),
                    HasSubstr(" The source that goes with it is 10.0.0.1: bind that instead.")));
  EXPECT_THAT(story["troubles"][0]["remedies"], IsEmpty());
  EXPECT_EQ(Explain({kServer4, "from", kTelecomSource4, "oif", "eth0"}).status, 0);
}

TEST_F(ExplainTroubleTest, ATableWhoseDefaultRouteSaysToGoOn) {
  for (const auto &[ip, server] : {std::pair("-4", kServer4), std::pair("-6", kServer6)}) {
    const std::string gateway = server == kServer4 ? "10.1.0.254" : "fd00:1::254";
    ASSERT_TRUE(client_
                    .IpBatch(ip, {"route flush table 100", "route add throw default table 100",
                                  absl::StrCat("route add default via ", gateway, " metric 5000")})
                    .ok());
    const Words marked{server, "mark", "100"};
    EXPECT_THAT(TroubleOf(marked),
                HasSubstr(", whose default route says to go on (throw): what has "
                          "the mark is routed as if it had none."));
    EXPECT_EQ(LeavesBy(marked), "eth0");
    Type(RemedyOf(marked));
    EXPECT_EQ(Explain(marked).status, 0) << server;
    EXPECT_EQ(LeavesBy(marked), "eth1");
  }
}

}  // namespace
}  // namespace srcsel::lab
