// Rules by cgroup, decided by the hooks: a cgroup, what is below it, and what is beside it.

#include <algorithm>

#include "base/cgroup_root.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class UpCgroupsTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    for (const std::string &path : {Named("/chosen"), Named("/chosen/child"), Named("/chosen-not")})
      ASSERT_TRUE(std::filesystem::create_directory(path));
  }
  void TearDown() override {
    UpTest::TearDown();
    for (const std::string &path : {Named("/chosen/child"), Named("/chosen"), Named("/chosen-not")})
      EXPECT_TRUE(std::filesystem::remove(path));
  }

  std::string Named(const std::string &name) const { return cgroup_.path() + name; }

  // As a policy says it.
  std::string FromRoot(const std::string &name) const {
    return FindOwnCgroup(Run({"cat", "/proc/self/cgroup"}).out).value() + name;
  }

  // Of a process in that cgroup: the sources of a UDP socket that connects, of either family.
  std::string SourcesIn(const std::string &name) const {
    std::string sources;
    for (const char *server : {kServer4, kServer6}) {
      const Result dial = client_.Run(CommandOf({DIAL, "-u", server, "53"}, Named(name))).value();
      EXPECT_TRUE(dial.ok()) << dial.ToString();
      absl::StrAppend(&sources, dial.out.substr(0, dial.out.find(' ')), " ");
    }
    return sources;
  }

  static constexpr char kTelecom[] = "10.0.0.1 fd00::1 ", kUnicom[] = "10.1.0.2 fd00:1::2 ";
};

TEST_F(UpCgroupsTest, ARuleHoldsInItsCgroupAndBelow) {
  MustUp(absl::StrCat("[[rule]]\ncgroup = '", FromRoot("/chosen"),
                      "'\nsource = ['10.1.0.2', 'fd00:1::2']\n"));
  EXPECT_EQ(SourcesIn("/chosen"), kUnicom);
  EXPECT_EQ(SourcesIn("/chosen/child"), kUnicom);
  EXPECT_EQ(SourcesIn("/chosen-not"), kTelecom);
  EXPECT_EQ(SourcesIn(""), kTelecom) << "the one above";
}

// Two levels in one policy.
TEST_F(UpCgroupsTest, TheFirstRuleOfSeveralHolds) {
  MustUp(absl::StrCat("[[rule]]\ncgroup = '", FromRoot("/chosen/child"),
                      "'\nsource = 'kernel'\n[[rule]]\ncgroup = '", FromRoot("/chosen"),
                      "'\nsource = ['10.1.0.2', 'fd00:1::2']\n"));
  EXPECT_EQ(SourcesIn("/chosen"), kUnicom);
  EXPECT_EQ(SourcesIn("/chosen/child"), kTelecom);
  EXPECT_EQ(SourcesIn("/chosen-not"), kTelecom);
}

// More levels than a policy can have: what the rest of the firewall says is followed still.
TEST_F(UpCgroupsTest, AFirewallMayNameCgroupsOfManyLevels) {
  std::string name = "/chosen", rules;
  std::vector<std::string> made;
  for (int port = 53; port < 58; ++port) {
    absl::StrAppend(&rules, "  udp dport ", port, " socket cgroupv2 level ",
                    std::ranges::count(FromRoot(name), '/'), " \"",
                    Named(name).substr(std::string("/sys/fs/cgroup/").size()),
                    "\" meta mark set 100\n");
    if (port == 57) break;
    made.push_back(Named(name += "/deep"));
    ASSERT_TRUE(std::filesystem::create_directory(made.back()));
  }
  ASSERT_TRUE(client_
                  .Nft("table inet uplinks {\n chain output { type route hook output priority "
                       "mangle;\n" +
                       rules + "  udp dport 60 meta mark set 100\n }\n}\n")
                  .ok());
  const Result up = Srcsel({"up", "--cgroup", cgroup_.path()});
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(Status().at("limits"), ElementsAre(HasSubstr("looks at cgroups of level ")));
  EXPECT_THAT(Run({DIAL, "-u", kServer4, "60"}).out, StartsWith("10.1.0.1 "));
  EXPECT_EQ(SourcesIn("/chosen"), "10.1.0.1 fd00:1::1 ");
  EXPECT_EQ(SourcesIn("/chosen-not"), kTelecom);
  std::ranges::reverse(made);
  for (const std::string &one : made) EXPECT_TRUE(std::filesystem::remove(one));
}

}  // namespace
}  // namespace srcsel::lab
