// Pools while a program runs: members come and go with their addresses.

#include <set>

#include "absl/strings/str_cat.h"
#include "lab/run_attempts.hh"
#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::ElementsAre;

class RunPoolsTest : public RunTest {
 protected:
  Attempts Under(const std::string &members) const {
    EXPECT_TRUE(files_
                    .Write("p.toml", "[pool.unicom]\nmembers = [ " + members +
                                         " ]\npick = 'round-robin'\n"
                                         "[[rule]]\nsource = 'pool unicom'\n")
                    .ok());
    return Attempts(Spawn({"--policy", files_.path() + "/p.toml"}, Attempts::Command()));
  }
  // Of so many connections that every member has had its turn.
  static std::set<std::string> Sources(Attempts &attempts, const char *server) {
    std::set<std::string> sources;
    for (int i = 0; i < 6; ++i) sources.insert(attempts.Try("udp", server));
    return sources;
  }

  TempDir files_ = TempDir::Make().value();
};

TEST_F(RunPoolsTest, AMemberWhoseAddressIsGoneIsSkippedUntilItIsBack) {
  Attempts attempts = Under("'10.1.0.1', '10.1.0.2', 'fd00:1::1', 'fd00:1::2'");
  for (const Family &family : {kIpv4, kIpv6}) {
    const bool v4 = family.server == kIpv4.server;
    const std::string address = absl::StrCat(family.unicom_other, v4 ? "/24" : "/64", " dev eth1");
    const auto sources = [&] { return Sources(attempts, family.server); };
    EXPECT_THAT(sources(), ElementsAre(family.unicom, family.unicom_other));
    ASSERT_TRUE(client_.Ip("addr del " + address).ok());
    EXPECT_TRUE(Eventually([&] { return !sources().contains(family.unicom_other); }));
    EXPECT_THAT(sources(), ElementsAre(family.unicom));
    ASSERT_TRUE(client_.Ip("addr add " + address).ok());
    EXPECT_TRUE(Eventually([&] { return sources().contains(family.unicom_other); }));
    EXPECT_THAT(sources(), ElementsAre(family.unicom, family.unicom_other));
  }
}

TEST_F(RunPoolsTest, AMemberMayBeTheKernelsChoice) {
  Attempts attempts = Under("'10.1.0.1', 'fd00:1::1', 'kernel'");
  EXPECT_THAT(Sources(attempts, kServer4), ElementsAre(kTelecomSource4, kUnicomSource4));
  EXPECT_THAT(Sources(attempts, kServer6), ElementsAre(kUnicomSource6, kTelecomSource6));
}

}  // namespace
}  // namespace srcsel::lab
