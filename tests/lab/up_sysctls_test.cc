// No sysctl of the network is changed, by anything that srcsel does.

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

class UpSysctlsTest : public UpTest {
 protected:
  // All that this namespace has, but for one that the kernel counts in.
  Words Sysctls() const {
    Words all;
    const Result listed =
        client_.Run(CommandOf({"sysctl", "-a", "-r", "^net"}, keeper_.path())).value();
    for (absl::string_view line : absl::StrSplit(listed.out, '\n', absl::SkipEmpty()))
      if (!absl::StartsWith(line, "net.netfilter.nf_conntrack_count ")) all.emplace_back(line);
    return all;
  }
};

TEST_F(UpSysctlsTest, StayAsTheyAre) {
  const Words before = Sysctls();
  ASSERT_THAT(before, ::testing::Contains("net.ipv4.conf.all.rp_filter = 2"));
  const auto expect_same = [&](const char *what) {
    const Words now = Sysctls();
    EXPECT_THAT(now, ::testing::ElementsAreArray(before)) << what;
  };
  for (const Words &options : {Words{"--mark", "100"}, Words{"--source", "dev eth1"},
                               Words{"--ports", "24000-24999"}, Words{"--via", "preload"}}) {
    Words words{SRCSEL, "run", "-q", "--source", "10.1.0.1"};
    if (options[0] == "--source") words.resize(3);
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", "bash", "-c", "echo > /dev/udp/192.0.2.80/53"});
    const Result run = Run(words);
    ASSERT_TRUE(run.ok()) << run.ToString();
    expect_same("run");
  }
  ASSERT_TRUE(client_.Ip("-4 rule del fwmark 100 table 100").ok());
  ASSERT_TRUE(Up(kBySource, {"-q", "--steer"}).ok());
  ASSERT_EQ(Source(), kUnicomOtherSource4);
  expect_same("up");
  ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
  expect_same("reload");
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  expect_same("down");
}

}  // namespace
}  // namespace srcsel::lab
