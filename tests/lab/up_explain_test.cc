// srcsel explain and srcsel identify where something is up: whom it holds for, and what it decides.

#include <set>

#include "lab/connected.hh"
#include "lab/net_class.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

class UpExplainTest : public UpTest {
 protected:
  // The test's cgroup, from the root of the hierarchy.
  std::string Path() const {
    const std::string path = Run({"sed", "-n", "s/^0:://p", "/proc/self/cgroup"}).out;
    return path.substr(0, path.find('\n'));
  }
  Json Explain(const std::string &cgroup) const {
    const Result explain = Srcsel({"explain", kServer4, "dport", "80", "cgroup", cgroup, "--json"});
    const Json json = Json::parse(explain.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << explain.ToString() << explain.out;
    return json;
  }
};

TEST_F(UpExplainTest, ThePolicyInForce) {
  MustUp(kByMark);
  const Json json = Explain(Path());
  EXPECT_EQ(json["policy"]["up"], true);
  EXPECT_EQ(json["policy"]["covers"], true);
  EXPECT_THAT(json["policy"]["rule"].get<std::string>(), EndsWith("p.toml:1"));
  EXPECT_EQ(json["policy"]["mark"], "0x64");
  EXPECT_EQ(json["source"]["address"], kUnicomSource4);
  EXPECT_EQ(json["source"]["address"], Source());
}

TEST_F(UpExplainTest, ASourceThatItBinds) {
  MustUp(kBySource);
  const Json json = Explain(Path());
  EXPECT_EQ(json["source"]["address"], kUnicomOtherSource4);
  EXPECT_EQ(json["source"]["why"], "rule");
  EXPECT_EQ(json["policy"]["mark"], "0x64");
  EXPECT_EQ(json["leaves"]["dev"], "eth1");
}

TEST_F(UpExplainTest, APoolThatGoesByTurn) {
  MustUp(
      "[[rule]]\nsource = 'pool a'\n[pool.a]\npick = 'round-robin'\nmembers = ['10.1.0.1', "
      "'10.1.0.2']\n");
  const Json json = Explain(Path());
  ASSERT_EQ(json["turns"].size(), 2u);
  const std::set<std::string> told{json["turns"][0]["source"], json["turns"][1]["source"]};
  EXPECT_EQ(told, (std::set{Source(), Source()}));
}

TEST_F(UpExplainTest, WhyARuleHasNoSourceOfTheFamily) {
  ASSERT_TRUE(client_.IpBatch("-6", {"address flush dev eth1 scope global"}).ok());
  MustUp("[[rule]]\nsource = 'dev eth1'\n");
  EXPECT_THAT(
      Srcsel({"explain", kServer6, "cgroup", Path()}).out,
      HasSubstr("(family): dev eth1: the interface has no global IPv6 address to lend; add one "
                "with: ip address add ADDR/LEN dev eth1\n"));
}

// Its hooks act on what is in the cgroup, and what it has of tables and interfaces does not hold.
TEST_F(UpExplainTest, OfAnotherNetworkNamespace) {
  MustUp("[[rule]]\nto = '192.0.2.0/24'\nsource = 'dev eth1'\n[[rule]]\nmark = 100\n");
  const auto elsewhere = [&](const char *to) {
    return lab_.host("server")
        .Run(CommandOf({SRCSEL, "explain", to, "cgroup", Path()}, keeper_.path()))
        .value()
        .out;
  };
  constexpr char kElsewhere[] =
      ", for another network namespace: here hold only marks and sources that it names\n";
  EXPECT_THAT(elsewhere("192.0.2.9"),
              AllOf(HasSubstr(kElsewhere), HasSubstr(": the socket is left alone (foreign)\n")));
  EXPECT_THAT(elsewhere("10.0.0.1"),
              AllOf(HasSubstr(kElsewhere), HasSubstr(": sets mark 0x64 (mark)")));
  const Json here = Explain(Path());
  EXPECT_EQ(here["policy"]["here"], true);
}

TEST_F(UpExplainTest, NotForOtherCgroups) {
  MustUp(kByMark);
  const Json json = Explain("/");
  EXPECT_EQ(json["policy"]["covers"], false);
  EXPECT_EQ(json["source"]["address"], kTelecomSource4);
  EXPECT_THAT(Srcsel({"explain", kServer4, "cgroup", "/"}).out, HasSubstr(": not for cgroup /\n"));
}

TEST_F(UpExplainTest, WhoIsUnderIt) {
  MustUp(kByMark);
  Process dial = Spawn({DIAL, "-u", "-w", "-n", "2", kServer4, "53"});
  ASSERT_TRUE(dial.WaitForLine(" ").ok());
  const Result identify = Srcsel({"identify", "--json", absl::StrCat(dial.pid())});
  EXPECT_EQ(identify.status, 0) << identify.ToString();
  const Json json = Json::parse(identify.out);
  EXPECT_EQ(json["up"], true);
  EXPECT_THAT(json["policy"].get<std::string>(), EndsWith("p.toml"));
  EXPECT_TRUE(json["run"].is_null());
  EXPECT_THAT(Srcsel({"pids"}).out, HasSubstr(absl::StrCat(dial.pid(), " dial up on cgroup ")));
}

TEST_F(UpExplainTest, AClassOfNetCls) {
  const absl::StatusOr<NetClass> one = NetClass::Make(0x10002);
  if (!one.ok()) GTEST_SKIP() << one.status();
  MustUp("[[rule]]\nclassid = '1:2'\nmark = 100\n");
  EXPECT_EQ(Source(), kTelecomSource4);
  Process dial = Spawn(one->Words(kConnected));
  EXPECT_THAT(dial.WaitForLine(" ").value(), HasSubstr(kUnicomSource4));
  const Result told = Srcsel({"explain", "--json", "--pid", absl::StrCat(dial.pid())});
  const Json open = Json::parse(told.out, nullptr, false);
  ASSERT_TRUE(open.is_array() && open.size() == 1) << told.ToString() << told.out;
  EXPECT_EQ(open[0]["flow"]["classid"], 0x10002);
  EXPECT_EQ(open[0]["policy"]["reason"], "mark");
  const auto explain = [&](const Words &more) {
    Words all{"explain", kServer4, "cgroup", Path()};
    all.insert(all.end(), more.begin(), more.end());
    return Srcsel(all).out;
  };
  EXPECT_THAT(explain({"classid", "1:2"}),
              AllOf(HasSubstr("classid 1:2"), HasSubstr(kUnicomSource4)));
  EXPECT_THAT(explain({}), AllOf(HasSubstr("classid"), Not(HasSubstr("classid 1:"))));
  dial.CloseInput();
  EXPECT_TRUE(dial.Wait().ok());
}

}  // namespace
}  // namespace srcsel::lab
