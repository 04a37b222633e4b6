// srcsel up where rules look at the device or the source of the first route: they hold for the
// destinations of the moment.

#include "lab/servers.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class UpWaysTest : public UpTest {
 protected:
  void MarkWhat(const std::string &match) const {
    ASSERT_TRUE(
        client_
            .Nft(absl::StrCat("table inet uplinks {\n chain output {\n  type route hook output "
                              "priority mangle;\n  ",
                              match, " udp dport 53 meta mark set 100\n }\n}\n"))
            .ok());
  }
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
};

TEST_F(UpWaysTest, ARuleByDeviceFollowsTheRoutes) {
  MarkWhat("oifname \"eth0\"");
  const Result plan = UpByMarks({"--dry-run"});
  EXPECT_THAT(plan.out, Not(HasSubstr("not known")));
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kUnicomSource4);
  // Now the first route is not by eth0, and the mark no more the rule's.
  ASSERT_TRUE(client_.Do("ip route add 192.0.2.0/24 via 10.1.0.254 src 10.1.0.2").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == "10.1.0.2"; }));
  ASSERT_TRUE(client_.Do("ip route del 192.0.2.0/24").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == kUnicomSource4; }));
  EXPECT_THAT(Status().at("limits"), IsEmpty());
}

// Datagrams of a socket that does not connect get the other source before the rules see them:
// these would no more mark them.
TEST_F(UpWaysTest, ARuleBySourceIsForConnectionsAlone) {
  MarkWhat("ip saddr 10.0.0.1");
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
  const Nginx nginx = Nginx::Start(lab_.host("server"), /*access_log=*/false).value();
  EXPECT_THAT(Status().at("limits").dump(),
              HasSubstr("with the source that goes with its mark, the rules end otherwise"));
  ASSERT_TRUE(client_
                  .Do("nft add rule inet uplinks output ip saddr 10.0.0.1 tcp dport 80 meta "
                      "mark set 100")
                  .ok());
  EXPECT_TRUE(Eventually([&] {
    const Result curl = Run({"curl", "--silent", "--max-time", "2", "--output", "/dev/null",
                             "--write-out", "%{local_ip}", "http://192.0.2.80/"});
    return curl.out == kUnicomSource4;
  }));
}

}  // namespace
}  // namespace srcsel::lab
