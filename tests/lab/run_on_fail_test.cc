// on-fail: what a program is told when no source can be had, or that it is not told at all.

#include <ostream>

#include "absl/strings/str_cat.h"
#include "lab/run_attempts.hh"
#include "lab/run_eventually.hh"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

struct Failure {
  const char *name, *policy;
  std::vector<std::string> commands, commands6;  // what makes it so, of iproute2
  const char *error;
};

void PrintTo(const Failure &failure, std::ostream *out) {
  *out << failure.name;
}

const Failure kFailures[] = {
    {"PoolOfGoneMembers",
     "[pool.gone]\nmembers = [ '10.1.0.2', 'fd00:1::2' ]\n[[rule]]\nsource = 'pool gone'\n",
     {"addr del 10.1.0.2/24 dev eth1"},
     {"addr del fd00:1::2/64 dev eth1"},
     "EADDRNOTAVAIL"},
    {"UnreachableTable",
     "[[rule]]\nmark = 100\napply = 'bind'\n",
     {"route replace unreachable default table 100"},
     {"route del default table 100", "route add unreachable default table 100"},
     "ENETUNREACH"},
};

class RunOnFailTest : public RunTest, public testing::WithParamInterface<Failure> {
 protected:
  Attempts Begin(const char *on_fail) const {
    EXPECT_TRUE(
        files_.Write("p.toml", absl::StrCat(GetParam().policy, "on-fail = '", on_fail, "'\n"))
            .ok());
    return Attempts(Spawn({"--policy", files_.path() + "/p.toml"}, Attempts::Command()));
  }
  void Fail() const {
    ASSERT_TRUE(client_.IpBatch("-4", GetParam().commands).ok());
    ASSERT_TRUE(client_.IpBatch("-6", GetParam().commands6).ok());
  }

  TempDir files_ = TempDir::Make().value();
};

INSTANTIATE_TEST_SUITE_P(, RunOnFailTest, testing::ValuesIn(kFailures),
                         [](const auto &failure) { return failure.param.name; });

TEST_P(RunOnFailTest, RejectedIsWhatHasNoSource) {
  Attempts attempts = Begin("reject");
  for (const char *way : {"udp", "sendto"})
    for (const char *server : {kServer4, kServer6})
      EXPECT_THAT(attempts.Try(way, server), testing::Not(testing::StartsWith("E"))) << way;
  Fail();
  for (const char *server : {kServer4, kServer6}) {
    // Until that is known: a source that cannot be bound any more, and a datagram that has it
    // still.
    for (const char *way : {"sendto", "tcp", "udp"})
      EXPECT_TRUE(Eventually([&] {
        const std::string told = attempts.Try(way, server);
        EXPECT_NE(told, "EPERM");
        return told == GetParam().error;
      })) << way
          << " " << server;
  }
}

TEST_P(RunOnFailTest, LeftToTheKernelItGoesAsWithoutSrcsel) {
  Attempts attempts = Begin("kernel");
  EXPECT_THAT(attempts.Try("udp", kServer4), testing::StartsWith("10.1.0."));
  Fail();
  for (const Family &family : {kIpv4, kIpv6}) {
    EXPECT_TRUE(Eventually([&] { return attempts.Try("udp", family.server) == family.telecom; }));
    EXPECT_EQ(attempts.Try("tcp", family.server), "ECONNREFUSED") << family.name;
    EXPECT_EQ(attempts.Try("sendto", family.server), "sent") << family.name;
  }
}

}  // namespace
}  // namespace srcsel::lab
