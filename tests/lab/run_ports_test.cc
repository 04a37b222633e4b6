// A range of ports is shared between destinations, and runs out only where its 4-tuples do.

#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "lab/run_crowd.hh"
#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Pair;

class RunPortsTest : public RunTest {
 protected:
  RunPortsTest() {
    EXPECT_TRUE(RouteBySource(lab_).ok());
    for (const char *address : {"192.0.2.82", "192.0.2.83", "192.0.2.84"})
      EXPECT_TRUE(lab_.host("server").Ip(std::string("addr add ") + address + "/32 dev lo").ok());
    listener_.emplace(lab_.host("server").Spawn({.argv = {CROWD, "-l", "80"}}).value());
    EXPECT_TRUE(listener_->WaitForLine("listening").ok());
  }

  Words Policy(const std::string &ports) const {
    EXPECT_TRUE(folder_
                    .Write("p.toml", "[[rule]]\nsource = '10.1.0.1'\nports = '" + ports +
                                         "'\non-fail = 'reject'\n")
                    .ok());
    return {"--policy", folder_.path() + "/p.toml"};
  }

  std::vector<Attempt> Crowd(const std::string &ports, Words options,
                             const Words &destinations) const {
    options.insert(options.begin(), CROWD);
    for (const std::string &destination : destinations) {
      options.push_back(destination);
      options.emplace_back("80");
    }
    const Result result = Run(Policy(ports), options);
    EXPECT_TRUE(result.ok()) << result.ToString();
    return AttemptsIn(result.out);
  }

  std::optional<Process> listener_;
  TempDir folder_ = TempDir::Make().value();
};

TEST_F(RunPortsTest, ServesEveryDestinationWithAllOfThem) {
  const Words five{"192.0.2.80", "192.0.2.81", "192.0.2.82", "192.0.2.83", "192.0.2.84"};
  const auto attempts = Crowd("20000-20199", {"-n", "201"}, five);
  EXPECT_THAT(Outcomes(attempts), ElementsAre(Pair("", 1000), Pair("EADDRNOTAVAIL", 5)));
  EXPECT_TRUE(AllDiffer(attempts));
  for (const std::string &destination : five) {
    const auto last = std::find_if(attempts.rbegin(), attempts.rend(), [&](const Attempt &a) {
      return a.destination == destination + " 80";
    });
    ASSERT_NE(last, attempts.rend());
    EXPECT_EQ(last->error, "EADDRNOTAVAIL") << "the 201st to " << destination;
  }
  for (const Attempt &attempt : attempts) {
    if (!attempt.error.empty()) continue;
    EXPECT_EQ(attempt.source, kUnicomSource4);
    EXPECT_THAT(attempt.port, AllOf(Ge(20000), Le(20199)));
  }
}

TEST_F(RunPortsTest, LosesNoConnectionToARace) {
  for (int round = 0; round < 5; ++round) {
    const std::string first = std::to_string(21000 + round * 200);
    const std::string last = std::to_string(21199 + round * 200);
    const auto attempts = Crowd(first + "-" + last, {"-t", "16", "-n", "12"}, {kServer4});
    EXPECT_THAT(Outcomes(attempts), ElementsAre(Pair("", 192)));
    EXPECT_TRUE(AllDiffer(attempts));
  }
}

// What the kernel does instead must not find a socket that shares ports.
TEST_F(RunPortsTest, LeavesNoTraceWhereNoneIsFree) {
  ASSERT_TRUE(
      folder_.Write("p.toml", "[[rule]]\nsource = '10.1.0.1'\nports = '23000-23000'\n").ok());
  const Result twice = Run({"--policy", folder_.path() + "/p.toml"}, {"python3", "-c", R"(
from socket import *
for _ in range(2):
    s = socket()
    s.connect(('192.0.2.80', 80))
    print(s.getsockname()[0], s.getsockname()[1] == 23000, s.getsockopt(SOL_SOCKET, SO_REUSEADDR))
    kept = s.dup()
)"});
  EXPECT_EQ(twice.out, "10.1.0.1 True 1\n10.1.0.1 False 0\n") << twice.err;
}

// What docs/how-to/port-blocks.md warns of.
TEST_F(RunPortsTest, AListenerThatReusesAddressesMayShareAPort) {
  const Result shared = Run(Policy("25000-25000"), {"python3", "-c", R"(
import errno
from socket import *
s = socket()
s.connect(('192.0.2.80', 80))
for reuse in 0, 1:
    l = socket()
    l.setsockopt(SOL_SOCKET, SO_REUSEADDR, reuse)
    try:
        l.bind(s.getsockname())
        l.listen()
        print(*l.getsockname())
    except OSError as e:
        print(errno.errorcode[e.errno])
)"});
  EXPECT_EQ(shared.out, "EADDRINUSE\n10.1.0.1 25000\n") << shared.err;
}

// What docs/limits.md says: the kernel binds a socket once, and gives up no port that was asked
// for.
TEST_F(RunPortsTest, ASocketThatConnectsAgainKeepsItsPort) {
  const auto again = [&](const char *ports, const char *held) {
    const Result result = Run(Policy(ports), {"python3", "-c", absl::StrCat("held = [", held, R"(]
import errno
from socket import *
kept = []
for to in held:
    kept.append(socket())
    kept[-1].connect((to, 80))
s = socket()
for to in ('192.0.2.80', 9), ('192.0.2.80', 80), ('192.0.2.81', 80):
    try:
        s.connect(to)
        print(*s.getsockname())
    except OSError as e:
        print(errno.errorcode[e.errno])
)")});
    EXPECT_EQ(result.err, "");
    return result.out;
  };
  EXPECT_EQ(again("26000-26000", ""), "ECONNREFUSED\n10.1.0.1 26000\nEISCONN\n");
  EXPECT_EQ(again("26001-26001", "'192.0.2.80'"), "ECONNREFUSED\nEADDRNOTAVAIL\n10.1.0.1 26001\n");
}

TEST_F(RunPortsTest, TypedInsteadOfWrittenDown) {
  int first = 24000;
  for (const Words &more : {Words{}, Words{"--source", "10.1.0.1"}, Words{"--mark", "100"}})
    for (const Words &how : {Words{DIAL}, Words{DIAL, "-u"}}) {
      Words options{"--ports", absl::StrCat(first, "-", first + 3)}, words = how;
      options.insert(options.end(), more.begin(), more.end());
      words.insert(words.end(), {"-n", "3", kServer4, "80"});
      const Result dial = Run(options, words);
      EXPECT_TRUE(dial.ok()) << dial.ToString();
      for (absl::string_view line : absl::StrSplit(dial.out, '\n', absl::SkipEmpty())) {
        const Endpoint local = LocalEnd(std::string(line));
        EXPECT_EQ(local.address.ToString(), more.empty() ? kTelecomSource4 : kUnicomSource4);
        EXPECT_THAT(local.port, AllOf(Ge(first), Le(first + 3)));
      }
      first += 4;
    }
}

// A connection that waits for stray segments keeps its 4-tuple, as it does without srcsel.
TEST_F(RunPortsTest, LeavesTimeWaitAlone) {
  const Nginx nginx = [this] {
    listener_.reset();
    return Nginx::Start(lab_.host("server")).value();
  }();
  std::set<int> ports;
  for (int i = 0; i < 2; ++i) {
    const Result curl = Run(Policy("22000-22001"), Curl(kServer4));
    ASSERT_TRUE(curl.ok()) << curl.ToString();
    ports.insert(LocalEnd(curl.out).port);
  }
  EXPECT_THAT(ports, ElementsAre(22000, 22001));
  ASSERT_THAT(client_.Do("ss -Htn state time-wait").value(), testing::HasSubstr("10.1.0.1:22001"));
  const Result third = Run(Policy("22000-22001"), {DIAL, kServer4, "80"});
  EXPECT_EQ(third.err, "connect: EADDRNOTAVAIL\n");
  EXPECT_TRUE(Run(Policy("22000-22001"), {DIAL, kOtherServer4, "80"}).ok());
}

}  // namespace
}  // namespace srcsel::lab
