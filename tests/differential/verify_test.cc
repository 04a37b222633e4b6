// `srcsel verify`: it agrees where the mirror is right, says so where it is not, and does not hold
// a change underneath it for a fault.

#include "agent/verify.hh"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/status.hh"
#include "netlink/follow.hh"
#include "netlink/read_state.hh"
#include "rich_host.hh"
#include "srcsel/read_snapshot.hh"

namespace srcsel {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
    absl::StatusOr<lab::Host> host = MakeRichHost();
    ASSERT_TRUE(host.ok()) << host.status();
    host_.emplace(*std::move(host));
  }

  lab::Result Srcsel(std::vector<std::string> words) const {
    lab::Command command;
    words.insert(words.begin(), {SRCSEL, "verify"});
    command.argv = std::move(words);
    return host_->Run(command).value();
  }

  // Of 4000 flows, over states that `read` reads.
  Verification Check(ReadSnapshot read) const {
    absl::StatusOr<Verification> result = lab::Within(host_->netns().fd(), [&] {
      return Verify({.flows = 4000, .seed = 5}, read, [](std::uint64_t) {});
    });
    EXPECT_TRUE(result.ok()) << result.status();
    return *std::move(result);
  }

  // The kernel notices a while after the other end has gone down.
  void LoseCarrier() const {
    ASSERT_TRUE(host_->Ip("link set w1 down").ok());
    const absl::Status lost = lab::Within(host_->netns().fd(), []() -> absl::Status {
      SRCSEL_ASSIGN_OR_RETURN(const Follower follower, Follower::Open());
      SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
      const lab::Deadline deadline(lab::kPatience);
      for (;;) {
        SRCSEL_ASSIGN_OR_RETURN(const State state, reader.Read());
        if (!(std::ranges::find(state.links, "v1", &Link::name)->flags & IFF_LOWER_UP))
          return absl::OkStatus();
        pollfd heard{follower.fd(), POLLIN, 0};
        if (poll(&heard, 1, deadline.PollTimeout()) == 0)
          return absl::DeadlineExceededError("wait for v1 to lose its carrier");
        SRCSEL_RETURN_IF_ERROR(follower.Drain(Gateways()).status());
      }
    });
    ASSERT_TRUE(lost.ok()) << lost;
  }

  void Change() const { ASSERT_TRUE(host_->Ip("route replace default via 10.1.0.254").ok()); }

  std::optional<lab::Host> host_;
};

TEST_F(VerifyTest, AgreesOnThisHost) {
  const lab::Result text = Srcsel({"--flows", "20000", "--seed", "1"});
  EXPECT_TRUE(text.ok()) << text.out << text.ToString();
  EXPECT_THAT(text.out, testing::StartsWith("20000 flows ("));
  EXPECT_THAT(text.out, HasSubstr(" 0 disagree; seed 1\n"));
  EXPECT_EQ(text.err, "");

  const lab::Result json = Srcsel({"--flows", "3000", "--json"});
  EXPECT_TRUE(json.ok()) << json.out << json.ToString();
  EXPECT_EQ(json.err, "");
  const auto result = nlohmann::json::parse(json.out);
  EXPECT_EQ(result.at("flows"), 3000);
  EXPECT_EQ(result.at("disagree"), 0);
  EXPECT_EQ(result.at("agree").get<int>() + result.at("ambiguous").get<int>(), 3000);
  EXPECT_GT(result.at("connected"), 200);
  EXPECT_THAT(result.at("examples"), SizeIs(0));
}

TEST_F(VerifyTest, AgreesOnAHostThatNeverHadARule) {
  host_.emplace(lab::Host::Create("plain").value());
  ASSERT_TRUE(host_->Ip("link set lo up").ok());
  ASSERT_TRUE(host_->Ip("addr add 10.0.0.1/24 dev lo").ok());
  const lab::Result text = Srcsel({"--flows", "500", "--seed", "1"});
  EXPECT_TRUE(text.ok()) << text.out << text.ToString();
}

TEST_F(VerifyTest, TheSameSeedDrawsTheSameFlows) {
  const auto once = [&] { return Srcsel({"--flows", "500", "--seed", "9", "--json"}).out; };
  EXPECT_EQ(once(), once());
}

TEST_F(VerifyTest, CountsWhatIsHiddenAsAmbiguous) {
  ASSERT_TRUE(host_->SetSysctl("net.ipv4.fib_multipath_hash_seed", "0").ok());
  const auto result = nlohmann::json::parse(Srcsel({"--flows", "20000", "--json"}).out);
  EXPECT_GT(result.at("ambiguous"), 5);
  EXPECT_EQ(result.at("disagree"), 0);
}

TEST_F(VerifyTest, AStateThatIsNotTheKernelsDisagrees) {
  const Verification result = Check([&]() -> absl::StatusOr<std::unique_ptr<const Snapshot>> {
    SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
    SRCSEL_ASSIGN_OR_RETURN(State state, reader.Read());
    for (Rule &rule : state.rules)
      if (rule.mark == 100) rule.table = RT_TABLE_MAIN;
    return Snapshot::Make(std::move(state), 1);
  });
  EXPECT_GT(result.disagree, 100u);
  EXPECT_EQ(result.flows, 4000u);
  EXPECT_EQ(result.agree + result.ambiguous + result.disagree, 4000u);
  EXPECT_THAT(result.examples, SizeIs(kExamples));
  for (const Disagreement &example : result.examples) EXPECT_EQ(example.flow.mark, 100u);
  EXPECT_TRUE(std::ranges::any_of(result.examples, &Disagreement::connected) ||
              std::ranges::any_of(result.examples,
                                  [](const Disagreement &d) { return d.kernel.table == 100; }));
}

TEST_F(VerifyTest, AChangeUnderneathIsReadAgain) {
  int reads = 0;
  const Verification result = Check([&] {
    auto snapshot = ReadSnapshotHere();
    if (reads++ == 0) Change();
    return snapshot;
  });
  EXPECT_EQ(reads, 2);
  EXPECT_EQ(result.disagree, 0u);
  EXPECT_EQ(result.flows, 4000u);
}

// Setting the sysctl does not tell the kernel's routes to share flows anew, and their old shares
// are not shown: what the mirror takes for granted (lookup/multipath.hh) is then wrong.
TEST_F(VerifyTest, AHiddenDifferenceEndsInStatus1) {
  ASSERT_NO_FATAL_FAILURE(LoseCarrier());
  ASSERT_TRUE(host_->SetSysctl("net.ipv4.conf.v1.ignore_routes_with_linkdown", "1").ok());
  const lab::Result text = Srcsel({"--flows", "20000", "--seed", "3"});
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.out, HasSubstr("ip route get 28."));
  EXPECT_THAT(text.out, HasSubstr("\n  kernel  via 10.1.0.254 dev v1"));
  const lab::Result json = Srcsel({"--flows", "20000", "--seed", "3", "--json"});
  EXPECT_EQ(json.status, 1);
  const auto result = nlohmann::json::parse(json.out);
  EXPECT_GT(result.at("disagree"), 0);
  const auto &example = result.at("examples").at(0);
  for (const char *key : {"flow", "by", "srcsel", "kernel"}) EXPECT_TRUE(example.contains(key));
}

TEST_F(VerifyTest, MistakesAreNamed) {
  for (const auto &[words, named] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--flows", "0"}, "--flows"},
           {{"--flows", "many"}, "many"},
           {{"--seed", "x"}, "--seed"},
           {{"8.8.8.8"}, "8.8.8.8"},
           {{"--netns", "/nowhere/at/all"}, "/nowhere/at/all"}}) {
    const lab::Result result = Srcsel(words);
    EXPECT_EQ(result.status, 2) << named;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr(named));
  }
}

}  // namespace
}  // namespace srcsel
