// srcsel up on a host that lacks the firewall's programs, or whose rules they cannot print: what
// was skipped is said, and what is known is gone on with.

#include <sys/mount.h>

#include <filesystem>

#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kNotKnown[] = "not known, and left to the kernel:";
constexpr char kMarkUdp[] =
    "table inet uplinks {\n chain output {\n  type route hook output priority mangle;\n"
    "  udp dport 53 meta mark set 100 accept\n }\n}\n";

// For the processes of this test the program is not there.
class HiddenProgram {
 public:
  explicit HiddenProgram(const char *path) : path_(std::filesystem::canonical(path)) {
    EXPECT_EQ(mount("/dev/null", path_.c_str(), nullptr, MS_BIND, nullptr), 0) << path_;
  }
  HiddenProgram(const HiddenProgram &) = delete;
  HiddenProgram &operator=(const HiddenProgram &) = delete;
  ~HiddenProgram() { umount2(path_.c_str(), MNT_DETACH); }

 private:
  const std::string path_;
};

class UpBadInputTest : public UpTest {
 protected:
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
};

// libnftables needs none.
TEST_F(UpBadInputTest, WithoutAnyProgramTheRulesOfNftAreUnderstood) {
  ASSERT_TRUE(client_.Nft(kMarkUdp).ok());
  const HiddenProgram nft("/usr/sbin/nft"), iptables("/usr/sbin/iptables-nft"),
      legacy("/usr/sbin/iptables-legacy");
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr(kUnicomSource4), Not(HasSubstr(kNotKnown))));
  EXPECT_EQ(Source(), kUnicomSource4);
}

TEST_F(UpBadInputTest, TablesOfIptablesWithoutItsProgramAreNamed) {
  ASSERT_TRUE(client_.Do("iptables-nft -t mangle -A OUTPUT -p udp -j MARK --set-mark 100").ok());
  const HiddenProgram iptables("/usr/sbin/iptables-nft");
  const Result plan = UpByMarks({"--dry-run"});
  ASSERT_TRUE(plan.ok()) << plan.ToString();
  EXPECT_THAT(plan.out, AllOf(HasSubstr(kNotKnown),
                              HasSubstr("run iptables-nft-save: there is no such program: install"),
                              ContainsRegex("ip mangle OUTPUT handle [0-9]+: .*MARK")));
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
}

TEST_F(UpBadInputTest, LegacyTablesWithoutTheirProgramAreNamed) {
  ASSERT_TRUE(client_.Do("iptables-legacy -t mangle -A OUTPUT -p udp -j MARK --set-mark 100").ok());
  const HiddenProgram legacy("/usr/sbin/iptables-legacy");
  const Result plan = UpByMarks({"--dry-run"});
  ASSERT_TRUE(plan.ok()) << plan.ToString();
  EXPECT_THAT(plan.out,
              AllOf(HasSubstr(kNotKnown),
                    HasSubstr("run iptables-legacy-save: there is no such program: install")));
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kTelecomSource4);
}

// Nft itself leaves it out and says nothing.
TEST_F(UpBadInputTest, ARuleThatNftCannotPrintIsNamed) {
  ASSERT_TRUE(client_.Nft(kMarkUdp).ok());
  const Result added =
      client_
          .Run(CommandOf({"python3", "-B", PROGRAMS "/odd_rule.py", "uplinks", "output"},
                         keeper_.path()))
          .value();
  ASSERT_TRUE(added.ok()) << added.ToString();
  const Result plan = UpByMarks({"--dry-run"});
  ASSERT_TRUE(plan.ok()) << plan.ToString();
  EXPECT_THAT(plan.out, AllOf(HasSubstr(kUnicomSource4), HasSubstr(kNotKnown),
                              HasSubstr("\n  inet uplinks output handle 3: ")));
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  EXPECT_EQ(Source(), kUnicomSource4) << "it is accepted before that rule";
  const Result other = Run({DIAL, "-u", kServer4, "54"});
  EXPECT_THAT(other.out, HasSubstr("10.0.0.1 "));
  EXPECT_EQ(Status().at("reasons").value("kernel", 0), 1);
}

}  // namespace
}  // namespace srcsel::lab
