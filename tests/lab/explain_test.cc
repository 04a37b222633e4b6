// srcsel explain on the host with two uplinks: the problem in words, the policy, and what it is
// asked by.

#include "lab/connected.hh"
#include "lab/explain_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

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

// As the hooks take it, and the kernel: also where the policy's prefixes and protocols are IPv4's.
TEST_F(ExplainTest, AnIpv4MappedDestinationIsOneOfIpv4) {
  ASSERT_TRUE(MarkOutput(lab_).ok());
  std::string told = kTheProblem;
  told.insert(told.find("  policy"),
              "  family: IPv4, for ::ffff:a.b.c.d is IPv4-mapped: what an IPv6 socket sends there "
              "goes by the rules and routes of IPv4\n");
  EXPECT_EQ(Explain({"::ffff:192.0.2.80", "dport", "80", "cgroup", "/a"}).out, told);
  ASSERT_TRUE(folder_.Write("p.toml", "[[rule]]\nto = '192.0.2.0/24'\nmark = 100\n").ok());
  const Json json = ExplainJson({"to", "::ffff:c000:250/128", "from", "::ffff:10.1.0.1", "ipproto",
                                 "icmp", "--policy", folder_.path() + "/p.toml"});
  EXPECT_EQ(json["flow"]["dst"], kServer4);
  EXPECT_EQ(json["flow"]["from"], kUnicomSource4);
  EXPECT_EQ(json["flow"]["mapped"], true);
  EXPECT_EQ(json["policy"]["rule"], folder_.path() + "/p.toml:1");
  EXPECT_FALSE(ExplainJson({kServer4})["flow"].contains("mapped"));
}

// `ip route get` asks the tables of IPv6, and so does `srcsel route get`.
TEST_F(ExplainTest, ToRouteGetAnIpv4MappedDestinationIsOneOfIpv6) {
  const auto get = [&](const std::string &command) {
    return client_.Run({.argv = {"sh", "-c", command + " route get ::ffff:192.0.2.80"}}).value();
  };
  const Result ours = get(SRCSEL), theirs = get("ip");
  EXPECT_EQ(ours.out, theirs.out);
  EXPECT_THAT(ours.out, HasSubstr("dev eth0"));
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

// What a pool that goes by turn gives is not to be known: all of it is told, and each turn's way.
TEST_F(ExplainTest, APoolThatGoesByTurn) {
  const auto policy = [&](const std::string &pick) {
    EXPECT_TRUE(folder_
                    .Write("p.toml", absl::StrCat("[[rule]]\nsource = 'pool a'\n[pool.a]\npick = '",
                                                  pick, "'\nmembers = ['", kTelecomSource4, "', '",
                                                  kUnicomSource4, "', 'kernel']\n"))
                    .ok());
    return Words{kServer4, "--policy", folder_.path() + "/p.toml"};
  };
  const Words by_turn = policy("round-robin");
  const Result explain = Explain(by_turn);
  EXPECT_EQ(explain.status, 1) << "10.1.0.1 leaves by eth0";
  EXPECT_THAT(
      explain.out,
      AllOf(HasSubstr(": holds: binds by turn, one of 10.0.0.1, 10.1.0.1, what the kernel "
                      "chooses (pool)\n"),
            HasSubstr("  source: 10.0.0.1: the policy's rule binds it, when it is its turn\n"),
            HasSubstr("  leaves: by eth0 via 10.0.0.254 from 10.0.0.1\n"
                      "    or, with 10.1.0.1: by eth0 via 10.0.0.254 from 10.1.0.1\n"
                      "    or, with what the kernel chooses: by eth0 via 10.0.0.254 from "
                      "10.0.0.1\n"),
            HasSubstr("trouble: 10.1.0.1 is eth1's, and leaves by eth0. ")));
  const Json json = ExplainJson(by_turn);
  EXPECT_EQ(json["exact"], false);
  EXPECT_EQ(json["policy"]["pick"], "round-robin");
  ASSERT_EQ(json["turns"].size(), 3u);
  EXPECT_EQ(json["turns"][1]["source"], kUnicomSource4);
  EXPECT_EQ(json["turns"][1]["leaves"]["prefsrc"], kUnicomSource4);
  EXPECT_EQ(json["turns"][2]["source"], "kernel");
  EXPECT_THAT(Explain(policy("random")).out, HasSubstr("binds at random, one of 10.0.0.1, "));
  const Json by_hash = ExplainJson(policy("hash"));
  EXPECT_EQ(by_hash["exact"], true);
  EXPECT_FALSE(by_hash.contains("turns"));
  EXPECT_FALSE(by_hash["policy"].contains("pick"));
}

TEST_F(ExplainTest, WhyARuleHasNoSourceOfTheFamily) {
  ASSERT_TRUE(client_.IpBatch("-6", {"address flush dev eth1 scope global"}).ok());
  const auto lacks = [&](const std::string &source, const char *server,
                         const std::string &more = "") {
    EXPECT_TRUE(
        folder_.Write("p.toml", absl::StrCat("[[rule]]\nsource = ", source, "\n", more)).ok());
    return ExplainJson({server, "--policy", folder_.path() + "/p.toml"});
  };
  const char *kMissing =
      "dev eth1: the interface has no global IPv6 address to lend; add one with: ip address add "
      "ADDR/LEN dev eth1";
  const Json of_device = lacks("'dev eth1'", kServer6);
  EXPECT_EQ(of_device["policy"]["reason"], "family");
  EXPECT_THAT(of_device["policy"]["lacks"], ElementsAre(kMissing));
  EXPECT_THAT(lacks("'10.1.0.1'", kServer6)["policy"]["lacks"],
              ElementsAre("the rule names no IPv6 source"));
  EXPECT_FALSE(lacks("'dev eth1'", kServer4)["policy"].contains("lacks"));
  const Json refused = lacks("'dev eth1'", kServer6, "on-fail = 'reject'\n");
  EXPECT_THAT(refused["troubles"][0]["text"].get<std::string>(), HasSubstr(kMissing));
  EXPECT_THAT(Explain({kServer6, "--policy", folder_.path() + "/p.toml"}).out,
              HasSubstr(absl::StrCat(" (family): ", kMissing, "\n")));
}

// Of names that others gave, none gets to a terminal as it is.
TEST_F(ExplainTest, NamesThatATerminalWouldHeed) {
  Ip({"link set eth1 down", "link set eth1 name e\x1b[7mx", "link set e\x1b[7mx up"});
  const Result explain = Explain({"10.1.0.9", "cgroup", "/a\x1b]0;b\x07", "comm", "c\nd"});
  EXPECT_THAT(explain.out, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07")),
                                 HasSubstr("cgroup /a\\x1b]0;b\\x07 comm c\\x0ad\n"),
                                 HasSubstr("leaves: by e\\x1b[7mx from 10.1.0.1\n")));
  const Result route = client_.Run({.argv = {SRCSEL, "route", "get", "10.1.0.9"}}).value();
  EXPECT_THAT(route.out, HasSubstr("dev e\\x1b[7mx src"));
  const Result unknown = Explain({kServer4, "\x1b[31m", "1"});
  EXPECT_THAT(unknown.err, HasSubstr("'\\x1b[31m' is neither"));
  const Result json = Explain({"10.1.0.9", "cgroup", "/a\xc2\x9b\x7f", "--json"});
  EXPECT_THAT(json.out, HasSubstr("/a\\u009b\\u007f"));
}

TEST_F(ExplainTest, TheAddressInTheGatewaysSubnet) {
  Ip({"route replace default via 10.0.0.254"});
  EXPECT_THAT(Explain({kServer4}).out,
              HasSubstr("source: 10.0.0.1: the route names none: it is the first address of eth0 "
                        "whose subnet (10.0.0.0/24) has the gateway 10.0.0.254\n"));
  ASSERT_TRUE(client_.IpBatch("-6", {"route replace default via fd00:1::254"}).ok());
  EXPECT_THAT(Explain({kServer6}).out, HasSubstr(": the route names none, and before "));
}

std::vector<std::string> Keys(const nlohmann::ordered_json &object) {
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
              ElementsAre("file", "up", "covers", "here", "rule", "reason", "passed", "nearer"));
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
  EXPECT_THAT(
      said({kServer4, "colour", "red"}),
      HasSubstr("'colour' is neither an address nor one of the words to, from, oif, dev, mark, "
                "uid, ipproto, sport, dport, tos, dsfield, flowlabel, iif, cgroup, classid, "
                "comm\n"));
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
