// srcsel explain on the host with two uplinks: the problem in words, what mends it, and that it
// does.

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/connected.hh"
#include "lab/temp_dir.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {
namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class ExplainTest : public testing::Test {
 protected:
  // As a process of the hierarchy's root, with nothing up.
  Result Explain(Words words) const {
    words.insert(words.begin(), {SRCSEL, "explain"});
    return client_
        .Run({.argv = std::move(words), .env = {"SRCSEL_RUN_DIR=" + folder_.path() + "/run"}})
        .value();
  }
  Json ExplainJson(Words words) const {
    words.emplace_back("--json");
    const Result result = Explain(std::move(words));
    Json json = Json::parse(result.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << result.ToString() << result.out;
    return json;
  }
  void Ip(const std::vector<std::string> &lines) const {
    ASSERT_TRUE(client_.IpBatch("-4", lines).ok());
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
  TempDir folder_ = TempDir::Make().value();
};

constexpr char kTheProblem[] =
    R"(192.0.2.80 tcp dport 80 mark 0 uid 0 cgroup /a
  policy: none is in force
  first lookup, inside connect(): mark 0, no source yet
    rule 0: from all lookup local: holds; the table has no route to 192.0.2.80
    rule 32765: from all fwmark 0x64 lookup 100: skipped: fwmark, it is 0
    rule 32766: from all lookup main: holds, and its table decides
    route: default via 10.0.0.254 dev eth0
  source: 10.0.0.1: the route names it (src)
  second lookup, inside connect(): mark 0, from 10.0.0.1: the same
  firewall: gives the packet mark 0x64
    iptables mangle: -A OUTPUT -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x64/0xffffffff
  lookup after the firewall's mark: mark 0x64, from 10.0.0.1
    rule 0: from all lookup local: holds; the table has no route to 192.0.2.80
    rule 32765: from all fwmark 0x64 lookup 100: holds, and its table decides
    route: default via 10.1.0.254 dev eth1
  leaves: by eth1 via 10.1.0.254 from 10.0.0.1
  kernel: agrees, asked for the same 3 lookups
  trouble: 10.0.0.1 is eth0's, and leaves by eth1. Linux chooses the source in the first lookup, inside connect(), before there is a packet and so before the firewall marks one. The lookup after the mark changes interface and gateway, never the source. A router behind eth1 that checks where packets come from (reverse-path filter) drops it.
    srcsel run --mark 0x64 -- COMMAND  # one command, from 10.1.0.1
    srcsel up  # all of this host: sources follow the firewall's marks, here 10.1.0.1
)";

TEST_F(ExplainTest, TheProblem) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  const Result explain = Explain({kServer4, "dport", "80", "cgroup", "/a"});
  EXPECT_EQ(explain.out, kTheProblem);
  EXPECT_EQ(explain.err, "");
  EXPECT_EQ(explain.status, 1);
}

TEST_F(ExplainTest, TheProblemInIpv6AndByNft) {
  ASSERT_TRUE(MarkOutput(lab_, Netfilter::kNft).ok());
  const Json json = ExplainJson({kServer6, "dport", "80"});
  EXPECT_EQ(json["source"]["address"], kTelecomSource6);
  EXPECT_EQ(json["leaves"]["dev"], "eth1");
  EXPECT_EQ(json["firewall"]["mark"], 100);
  EXPECT_THAT(json["troubles"][0]["remedies"].dump(), HasSubstr(kUnicomSource6));
  EXPECT_TRUE(json["agrees"]);
}

// The remedy, on the socket: as --mark sets it.
TEST_F(ExplainTest, TheMarkOnTheSocketMendsIt) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  const Result explain = Explain({kServer4, "dport", "80", "mark", "100"});
  EXPECT_THAT(explain.out, AllOf(HasSubstr("  source: 10.1.0.1: the route names it (src)\n"),
                                 HasSubstr("  leaves: by eth1 via 10.1.0.254 from 10.1.0.1\n"),
                                 HasSubstr("leaves the mark as it is"), Not(HasSubstr("trouble"))));
  EXPECT_EQ(explain.status, 0);
}

TEST_F(ExplainTest, APolicyAndTheRulesItPassedBy) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  ASSERT_TRUE(folder_
                  .Write("p.toml",
                         "[[rule]]\nto = '198.51.100.0/24'\ncomm = 'wget'\nmark = 7\n"
                         "[[rule]]\nipproto = 'udp'\nmark = 8\n"
                         "[[rule]]\ncomm = 'curl'\nmark = 100\n")
                  .ok());
  const std::string file = folder_.path() + "/p.toml";
  const Result explain = Explain({kServer4, "dport", "80", "comm", "curl", "--policy", file});
  EXPECT_THAT(explain.out,
              HasSubstr(absl::StrCat("  policy: ", file, "\n    ", file,
                                     ":1: does not hold: comm, to\n    ", file,
                                     ":5: does not hold: ipproto\n    ", file,
                                     ":8: holds: sets mark 0x64 (mark)\n  first lookup, inside "
                                     "connect(): mark 0x64, no source yet\n")));
  EXPECT_EQ(explain.status, 0) << explain.out;
  const Json json = ExplainJson({kServer4, "comm", "wget", "--policy", file});
  EXPECT_EQ(json["policy"]["rule"], "");
  EXPECT_EQ(json["policy"]["reason"], "no-rule");
  EXPECT_EQ(json["policy"]["passed"], 3);
}

TEST_F(ExplainTest, ASourceThatGoesAstrayAndTheRuleThatLeadsIt) {
  const Result explain = Explain({kServer4, "dport", "443", "from", kUnicomSource4});
  EXPECT_EQ(explain.status, 1);
  EXPECT_THAT(explain.out,
              AllOf(HasSubstr("  source: 10.1.0.1: the program binds it itself\n"),
                    HasSubstr("trouble: 10.1.0.1 is eth1's, and leaves by eth0. No ip rule leads"),
                    HasSubstr("    ip rule add from 10.1.0.1 lookup 100  # ")));
  Ip({"rule add from 10.1.0.1 lookup 100"});
  EXPECT_EQ(Explain({kServer4, "dport", "443", "from", kUnicomSource4}).status, 0);
}

// The part behind " trouble: " of the text.
std::string Trouble(const Result &explain) {
  const std::size_t begin = explain.out.find("  trouble: ");
  return begin == std::string::npos ? "" : explain.out.substr(begin + 11);
}

TEST_F(ExplainTest, AMarkThatLeadsToADeadTable) {
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

TEST_F(ExplainTest, ASourceOfAnUplinkThatIsDown) {
  Ip({"address flush dev eth1", "address add 10.1.0.253/30 dev eth1", "link set eth1 down"});
  EXPECT_THAT(Trouble(Explain({kServer4, "from", "10.1.0.253"})),
              HasSubstr("    ip link set eth1 up && ip route add default via 10.1.0.254 dev eth1 "
                        "table 101 && ip rule add from 10.1.0.253 lookup 101  # "));
  Ip({"link set eth1 up", "route add default via 10.1.0.254 dev eth1 table 101",
      "rule add from 10.1.0.253 lookup 101"});
  EXPECT_EQ(Explain({kServer4, "from", "10.1.0.253"}).status, 0);
}

TEST_F(ExplainTest, ASourceWhoseGatewayNothingNames) {
  Ip({"link set eth1 down", "link set eth1 up"});
  const std::string trouble = Trouble(Explain({kServer4, "from", kUnicomSource4}));
  EXPECT_THAT(
      trouble,
      HasSubstr(" What is missing is the gateway behind eth1, for: ip route add default via "
                "GATEWAY dev eth1 table 101 && ip rule add from 10.1.0.1 lookup 101.\n"));
  EXPECT_THAT(trouble, Not(HasSubstr("  # ")));
}

TEST_F(ExplainTest, TheAddressInTheGatewaysSubnet) {
  Ip({"route replace default via 10.0.0.254"});
  EXPECT_THAT(Explain({kServer4}).out,
              HasSubstr("source: 10.0.0.1: the route names none: it is the first address of eth0 "
                        "whose subnet (10.0.0.0/24) has the gateway 10.0.0.254\n"));
  ASSERT_TRUE(client_.IpBatch("-6", {"route replace default via fd00:1::254"}).ok());
  EXPECT_THAT(Explain({kServer6}).out, HasSubstr(": the route names none, and before "));
}

TEST_F(ExplainTest, WhyThereIsNoWay) {
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

std::vector<std::string> Keys(const Json &object) {
  std::vector<std::string> keys;
  for (const auto &[key, value] : object.items()) keys.push_back(key);
  return keys;
}

TEST_F(ExplainTest, KeysOfItsJson) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  ASSERT_TRUE(folder_.Write("p.toml", "[[rule]]\nipproto = 'udp'\nmark = 8\n").ok());
  const Json json = ExplainJson({kServer4, "dport", "80", "--policy", folder_.path() + "/p.toml"});
  EXPECT_THAT(Keys(json), ElementsAre("flow", "policy", "lookups", "source", "firewall", "leaves",
                                      "exact", "agrees", "troubles"));
  EXPECT_THAT(Keys(json["flow"]),
              ElementsAre("dst", "ipproto", "dport", "mark", "uid", "cgroup", "classid", "comm"));
  EXPECT_THAT(Keys(json["policy"]),
              ElementsAre("file", "up", "covers", "rule", "reason", "passed", "nearer"));
  EXPECT_THAT(Keys(json["policy"]["nearer"][0]), ElementsAre("rule", "missed"));
  ASSERT_EQ(json["lookups"].size(), 3u);
  EXPECT_THAT(Keys(json["lookups"][0]),
              ElementsAre("when", "flow", "rules", "answer", "exact", "kernel", "agrees"));
  EXPECT_THAT(Keys(json["lookups"][0]["rules"][1]), ElementsAre("pref", "rule", "did", "missed"));
  EXPECT_THAT(Keys(json["lookups"][0]["answer"]),
              ElementsAre("rule", "table", "type", "route", "gateway", "dev", "prefsrc"));
  EXPECT_THAT(Keys(json["source"]), ElementsAre("address", "why", "because"));
  EXPECT_THAT(Keys(json["firewall"]), ElementsAre("known", "dropped", "mark", "routed", "passed",
                                                  "translating", "skipped"));
  EXPECT_THAT(Keys(json["troubles"][0]), ElementsAre("text", "remedies"));
  EXPECT_EQ(json["lookups"][2]["when"], "reroute");
}

TEST_F(ExplainTest, OfASocketThatIsConnected) {
  Process dial = client_.Spawn({.argv = kConnected}).value();
  const std::string line = dial.WaitForLine(" ").value();
  const std::string port = line.substr(line.find(' ') + 1);
  const std::string pid = absl::StrCat(dial.pid());
  const Json of_pid = ExplainJson({"--pid", pid});
  ASSERT_EQ(of_pid.size(), 1u);
  EXPECT_EQ(of_pid[0]["socket"]["prefsrc"], kTelecomSource4);
  EXPECT_EQ(of_pid[0]["socket"]["same"], true);
  EXPECT_EQ(of_pid[0]["flow"]["comm"], "python3");
  const std::string ends = absl::StrCat("10.0.0.1:", std::stoi(port), "-192.0.2.80:53");
  Ip({"route replace default via 10.1.0.254 src 10.1.0.2"});
  const Result changed = Explain({"--socket", ends});
  EXPECT_EQ(changed.status, 1) << changed.ToString();
  EXPECT_THAT(changed.out, HasSubstr(absl::StrCat("python3 (", pid, ") fd ")));
  EXPECT_THAT(changed.out, HasSubstr(" to 192.0.2.80:53; today it would have 10.1.0.2\n"));
  EXPECT_EQ(Explain({"--socket", "10.0.0.1:1-192.0.2.80:53"}).status, 2);
}

TEST_F(ExplainTest, WordsThatMakeNoSense) {
  const auto said = [&](const Words &words) {
    const Result result = Explain(words);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  EXPECT_THAT(said({}), HasSubstr("no destination"));
  EXPECT_THAT(said({kServer4, "colour", "red"}), HasSubstr("'colour'"));
  EXPECT_THAT(said({kServer4, "cgroup", "a"}), HasSubstr("path from the root"));
  EXPECT_THAT(said({kServer4, "comm"}), HasSubstr("value is missing"));
  EXPECT_THAT(said({kServer4, "--pid", "1"}), HasSubstr("exclude each other"));
  EXPECT_THAT(said({"--pid", "x"}), HasSubstr("'x' is no number"));
  EXPECT_THAT(said({"--socket", "10.0.0.1-x"}), HasSubstr("SRC:PORT-DST:PORT"));
  EXPECT_THAT(said({kServer4, "--policy", "/no/such.toml"}), HasSubstr("/no/such.toml"));
}

TEST_F(ExplainTest, AVerbThatIsMisspelt) {
  const Result result = client_.Run({.argv = {SRCSEL, "explian"}}).value();
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("'explian' is not a verb; did you mean explain? "));
  EXPECT_THAT(client_.Run({.argv = {SRCSEL, "bicycle"}}).value().err,
              AllOf(HasSubstr("there is: "), Not(HasSubstr("did you mean"))));
}

}  // namespace
}  // namespace srcsel::lab
