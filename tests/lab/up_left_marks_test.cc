// srcsel up where a mark is given for another purpose than routes: nothing is done about it.

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class UpLeftMarksTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_TRUE(client_
                    .Nft("table inet qos {\n"
                         " chain out { type route hook output priority mangle; udp dport 53 meta "
                         "mark set 7; }\n"
                         " chain post { type filter hook postrouting priority 0; meta mark 7 udp "
                         "dport 53 counter; }\n"
                         "}\n")
                    .ok());
  }
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
  // "10.0.0.1 40000 mark 0"
  std::string Dialled() const { return Run({DIAL, "-u", "-k", kServer4, "53"}).out; }
  std::string Counted() const { return client_.Do("nft list chain inet qos post").value(); }
};

TEST_F(UpLeftMarksTest, WhereNoRuleLooksAtItTheSocketStaysAsItIs) {
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, ContainsRegex("inet qos out handle [0-9]+ +0x7 +left +- +10.0.0.1"));
  EXPECT_THAT(up.out, Not(HasSubstr("not known")));
  EXPECT_THAT(Dialled(), HasSubstr("10.0.0.1 "));
  EXPECT_THAT(Dialled(), HasSubstr(" mark 0"));
  EXPECT_THAT(Counted(), HasSubstr("packets 2 ")) << "netfilter marks it still";
}

// What has that mark already is dropped, so that elsewhere the source would be bound.
TEST_F(UpLeftMarksTest, SoDoesOneThatCouldOnlyBeBound) {
  ASSERT_TRUE(client_.Do("nft add rule inet qos out meta l4proto tcp meta mark 9 drop").ok());
  ASSERT_TRUE(client_.Do("nft add rule inet qos out meta l4proto tcp meta mark set 9").ok());
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, ContainsRegex("0x9 +left +- "));
}

TEST_F(UpLeftMarksTest, UntilOneDoes) {
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  ASSERT_THAT(Dialled(), HasSubstr(" mark 0"));
  ASSERT_TRUE(client_.Ip("rule add fwmark 7 table 100").ok());
  EXPECT_TRUE(Eventually([&] { return Dialled().find(" mark 7") != std::string::npos; }));
  EXPECT_THAT(Dialled(), HasSubstr("10.1.0.1 "));
  ASSERT_TRUE(client_.Ip("rule del fwmark 7 table 100").ok());
  EXPECT_TRUE(Eventually([&] { return Dialled().find(" mark 0") != std::string::npos; }));
}

// `ip rule not fwmark` tells it from none, too.
TEST_F(UpLeftMarksTest, ARuleForAllOthersLooksAtIt) {
  ASSERT_TRUE(client_.Ip("rule add not fwmark 7 table 100").ok());
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, ContainsRegex("0x7 +marked "));
  EXPECT_THAT(Dialled(), HasSubstr("10.0.0.1 "));
  EXPECT_THAT(Dialled(), HasSubstr(" mark 7"));
}

}  // namespace
}  // namespace srcsel::lab
