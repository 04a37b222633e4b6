// srcsel up, where sources come and go: a rule that has none acts as one that fails, and all others
// are followed.

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class UpSourcesTest : public UpTest {
 protected:
  void Do(const std::vector<const char *> &lines) const {
    for (const char *line : lines) ASSERT_TRUE(client_.Ip(line).ok()) << line;
  }
  // "10.1.0.1 mark 100", or why it failed.
  std::string Dial(const char *server = kServer4, const Words &options = {}) const {
    Words words{DIAL, "-u", "-k"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {server, "53"});
    const Result dial = Run(std::move(words));
    if (!dial.ok()) return dial.err;
    const std::size_t port = dial.out.find(' '), mark = dial.out.find(" mark ");
    return absl::StrCat(dial.out.substr(0, port),
                        dial.out.substr(mark, dial.out.size() - mark - 1));
  }
  bool Becomes(const std::string &dialled, const char *server = kServer4) const {
    return Eventually([&] { return Dial(server) == dialled; });
  }
  std::vector<std::string> Lacks() const { return Status().at("lacks"); }
};

constexpr char kByDialled[] = "[[rule]]\nsource = 'dev ppp0'\n";

TEST_F(UpSourcesTest, AnInterfaceMayComeLater) {
  const Result up = Up(kByDialled);
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out,
              HasSubstr("warning: rule.source: dev ppp0: no such interface; this namespace has lo, "
                        "eth0, eth1; the rule goes without a source until it is up and has an "
                        "address, which srcsel follows: till then the kernel chooses"));
  EXPECT_EQ(Dial(), "10.0.0.1 mark 0");
  EXPECT_EQ(Status().at("reasons").at("family"), 1);
  EXPECT_THAT(Lacks(), ElementsAre(HasSubstr("p.toml:1: dev ppp0: no such interface")));
  Do({"link add ppp0 type veth peer ppp0-end"});
  EXPECT_TRUE(Eventually([&] { return Lacks().at(0).find("is down") != std::string::npos; }));
  EXPECT_EQ(Dial(), "10.0.0.1 mark 0");
  Do({"link set ppp0 up"});
  EXPECT_TRUE(Eventually([&] { return Lacks().at(0).find("no global") != std::string::npos; }));
  Do({"address add 10.7.0.1/32 dev ppp0"});
  EXPECT_TRUE(Becomes("10.7.0.1 mark 0"));
  EXPECT_TRUE(Eventually([&] { return Lacks().empty(); }));
  Do({"link set ppp0 down"});
  EXPECT_TRUE(Becomes("10.0.0.1 mark 0"));
  Do({"link set ppp0 up"});
  EXPECT_TRUE(Becomes("10.7.0.1 mark 0"));
  Do({"link del ppp0"});
  EXPECT_TRUE(Becomes("10.0.0.1 mark 0"));
  EXPECT_EQ(Status().at("trouble"), "");
  EXPECT_EQ(Srcsel({"status"}).status, 0);
  EXPECT_THAT(Srcsel({"status"}).out, HasSubstr("  no source     "));
}

TEST_F(UpSourcesTest, TheMarkThatSteersComesWithTheAddress) {
  Do({"address flush dev eth1"});
  MustUp("[[rule]]\nsource = 'dev eth1'\n");
  EXPECT_EQ(Dial(), "10.0.0.1 mark 0");
  Do({"address add 10.1.0.7/24 dev eth1", "route add default via 10.1.0.254 dev eth1 table 100"});
  EXPECT_TRUE(Becomes("10.1.0.7 mark 100"));
  Do({"address flush dev eth1"});
  EXPECT_TRUE(Becomes("10.0.0.1 mark 0"));
}

TEST_F(UpSourcesTest, WithoutASourceAMarkStaysOrTheCallFails) {
  MustUp(
      "[[rule]]\nto = '192.0.2.80'\nmark = 100\nsource = 'dev ppp0'\n"
      "[[rule]]\nsource = 'dev ppp0'\non-fail = 'reject'\n");
  EXPECT_EQ(Dial(), "10.1.0.1 mark 100");
  EXPECT_THAT(Dial(kOtherServer4), HasSubstr("EADDRNOTAVAIL"));
  EXPECT_THAT(Dial(kOtherServer4, {"-s"}), HasSubstr("EADDRNOTAVAIL"));
  Do({"link add ppp0 type veth peer ppp0-end", "link set ppp0 up",
      "address add 10.7.0.1/32 dev ppp0"});
  EXPECT_TRUE(Becomes("10.7.0.1 mark 0", kOtherServer4));
  EXPECT_EQ(Dial(), "10.7.0.1 mark 100");
  Do({"link del ppp0"});
  EXPECT_TRUE(
      Eventually([&] { return Dial(kOtherServer4).find("EADDRNOTAVAIL") != std::string::npos; }));
}

// Of the rule's family.
TEST_F(UpSourcesTest, AnAddressOfTheOtherFamilyIsNone) {
  Do({"link add ppp0 type veth peer ppp0-end", "link set ppp0 up",
      "address add 10.7.0.1/32 dev ppp0"});
  const Result up = Up("[[rule]]\nto = '2001:db8:80::/64'\nsource = 'dev ppp0'\n");
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, HasSubstr("dev ppp0: the interface has no global IPv6 address to lend"));
  EXPECT_EQ(Dial(kServer6), "fd00::1 mark 0");
  Do({"address add fd00:7::1/128 dev ppp0 nodad"});
  EXPECT_TRUE(Becomes("fd00:7::1 mark 0", kServer6));
}

TEST_F(UpSourcesTest, APoolMayHaveNoMemberYet) {
  const Result up =
      Up("[[rule]]\nsource = 'pool a'\n[pool.a]\nmembers = ['dev ppp0', 'dev ppp1']\n");
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, HasSubstr("warning: rule.source: pool a has no member that this host can "
                                "use; the rule goes without a source until there is one"));
  EXPECT_EQ(Lacks().size(), 2u);
  Do({"link add ppp1 type veth peer ppp1-end", "link set ppp1 up",
      "address add 10.7.0.1/32 dev ppp1"});
  EXPECT_TRUE(Becomes("10.7.0.1 mark 0"));
  EXPECT_TRUE(Eventually([&] { return Lacks().empty(); }));
}

// The second rule's mark and the third's source are found anew.
TEST_F(UpSourcesTest, AnAddressThatGoesLeavesAllOthersFollowed) {
  const char policy[] =
      "[[rule]]\nto = '192.0.2.81'\nsource = '10.1.0.2'\n"
      "[[rule]]\nto = '192.0.2.80'\nlookup = 100\n"
      "[[rule]]\nto = '2001:db8:80::80'\nmark = 100\napply = 'bind'\n";
  MustUp(policy);
  EXPECT_EQ(Dial(kOtherServer4), "10.1.0.2 mark 100");
  Do({"address del 10.1.0.2/24 dev eth1"});
  EXPECT_TRUE(Becomes("10.0.0.1 mark 0", kOtherServer4));
  EXPECT_EQ(Dial(kOtherServer4, {"-s"}), "0.0.0.0 mark 0") << "a datagram is sent";
  EXPECT_TRUE(Eventually([&] { return !Lacks().empty(); }));
  EXPECT_THAT(Lacks(), ElementsAre(HasSubstr("p.toml:1: 10.1.0.2: Cannot assign requested")));
  EXPECT_EQ(Status().at("trouble"), "");
  Do({"-4 rule del fwmark 100 table 100", "-4 rule add fwmark 7 table 100",
      "-6 route replace default via fd00:1::254 src fd00:1::2 table 100"});
  EXPECT_TRUE(Becomes("10.1.0.1 mark 7"));
  EXPECT_TRUE(Becomes("fd00:1::2 mark 0", kServer6));
  ASSERT_TRUE(client_
                  .Nft("table inet t {\n chain o {\n  type route hook output priority mangle;\n"
                       "  ip daddr 203.0.113.9 meta mark set 7\n }\n}\n")
                  .ok());
  EXPECT_TRUE(Eventually([&] { return Dial("203.0.113.9") == "10.1.0.1 mark 7"; }));
  EXPECT_EQ(Dial(kOtherServer4), "10.0.0.1 mark 0");
  Do({"address add 10.1.0.2/24 dev eth1"});
  EXPECT_TRUE(Becomes("10.1.0.2 mark 7", kOtherServer4));
  EXPECT_TRUE(Eventually([&] { return Lacks().empty(); }));
  Do({"address del 10.1.0.2/24 dev eth1"});
  EXPECT_TRUE(Becomes("10.0.0.1 mark 0", kOtherServer4));
  const Result reload = Srcsel({"reload"});
  EXPECT_THAT(reload.out, HasSubstr("error: rule.source: 10.1.0.2: Cannot assign"));
  EXPECT_EQ(Dial(), "10.1.0.1 mark 7");
}

TEST_F(UpSourcesTest, AnAddressThatGoesFailsTheCallWhereThePolicySaysSo) {
  MustUp("[[rule]]\nto = '192.0.2.81'\nsource = '10.1.0.2'\non-fail = 'reject'\n");
  Do({"address del 10.1.0.2/24 dev eth1"});
  EXPECT_TRUE(Eventually([&] { return Lacks().size() == 1; }));
  EXPECT_THAT(Dial(kOtherServer4), HasSubstr("EADDRNOTAVAIL"));
  EXPECT_EQ(Dial(), "10.0.0.1 mark 0");
}

// A run of a file too; of its own words it must name one that is there.
TEST_F(UpSourcesTest, ARunOfAFileFollowsItToo) {
  const std::string policy = PolicyFile(kByDialled);
  Process run = Spawn({SRCSEL, "run", "-q", "--policy", policy, "--", DIAL, "-u", "-w", "-n",
                       "1000", kServer4, "53"});
  ASSERT_TRUE(run.WaitForLine("10.0.0.1 ").ok());
  Do({"link add ppp0 type veth peer ppp0-end", "link set ppp0 up",
      "address add 10.7.0.1/32 dev ppp0"});
  EXPECT_TRUE(Eventually([&] {
    EXPECT_TRUE(run.Write("again\n").ok());
    return run.WaitForLine("").value().starts_with("10.7.0.1 ");
  }));
  const Result words = Run({SRCSEL, "run", "--source", "dev ppp1", "--", "true"});
  EXPECT_EQ(words.status, 125);
  EXPECT_THAT(words.err, HasSubstr("dev ppp1: no such interface"));
}

}  // namespace
}  // namespace srcsel::lab
