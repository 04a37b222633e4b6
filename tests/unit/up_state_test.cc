// What an `up` writes down and says comes back as it was, and what is damaged is refused.

#include "agent/up_state.hh"

#include <gtest/gtest.h>

#include "agent/control_words.hh"

namespace srcsel {
namespace {

TEST(UpState, ComesBackAsItWas) {
  UpState state;
  state.pid = 1234;
  state.started = 77;
  state.version = "0.1.0";
  state.cgroup = "/system.slice";
  state.policy = "/etc/srcsel/a \"b\".toml";
  state.rules = {"a.toml:1", "a.toml:9"};
  state.sources = {{"10.1.0.1", "fd00:1::1"}, {"dev ppp0"}};
  state.lacks = {"a.toml:9: dev ppp0: no such interface"};
  state.missing = {"the kernel has no hook sendmsg4: IPv4 datagrams"};
  state.since = absl::FromUnixSeconds(1'700'000'000);
  state.policy_since = absl::FromUnixSeconds(1'700'000'001);
  state.trial = 60;
  state.links = {7, 9};
  state.steered = true;
  state.netns = ~std::uint64_t{0};
  state.netns_name = "blue";
  state.generation = 7;
  state.stale = "dump IPv4 routes: ...";
  state.old_sockets = 3;
  EXPECT_EQ(UpStateOf(ToJson(state)).value(), state);
  state.until = absl::FromUnixSeconds(1'700'000'060);
  EXPECT_EQ(UpStateOf(ToJson(state)).value(), state);
}

TEST(UpState, WhatIsDamagedIsRefused) {
  const std::string whole = ToJson(UpState());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(UpStateOf(whole.substr(0, size)).ok()) << size;
  EXPECT_TRUE(absl::IsDataLoss(UpStateOf("{}").status()));
  EXPECT_TRUE(absl::IsDataLoss(UpStateOf(R"({"pid":"blue"})").status()));
}

TEST(UpState, AProcessIsToldFromALaterOneOfItsNumber) {
  UpState state;
  state.pid = getpid();
  state.started = OwnStart().value();
  EXPECT_TRUE(IsFollowing(state));
  ++state.started;
  EXPECT_FALSE(IsFollowing(state));
  EXPECT_FALSE(IsFollowing(UpState()));
}

TEST(ControlWords, ComeBackAsTheyWere) {
  const ControlRequest asked{ControlRequest::Verb::kTrace, "/etc/p.toml", true};
  const ControlRequest heard = RequestOfWords(WordsOf(asked)).value();
  EXPECT_EQ(heard.verb, asked.verb);
  EXPECT_EQ(heard.policy, asked.policy);
  EXPECT_EQ(heard.all, asked.all);

  const ControlAnswer answer{absl::NotFoundError("none"),
                             {{Severity::kWarning, {"p.toml", 3}, "rule.mark", "is \"odd\""}},
                             2,
                             9};
  const ControlAnswer back = AnswerOfWords(WordsOf(answer)).value();
  EXPECT_EQ(back.status, answer.status);
  EXPECT_EQ(back.findings, answer.findings);
  EXPECT_EQ(back.rules, 2u);
  EXPECT_EQ(back.generation, 9u);
}

TEST(ControlWords, WhatIsNotUnderstoodIsRefused) {
  for (const char *line : {"", "{", "{}", "[]", R"({"verb":"down"})", "\xff\xfe"}) {
    EXPECT_TRUE(absl::IsDataLoss(RequestOfWords(line).status())) << line;
    EXPECT_TRUE(absl::IsDataLoss(AnswerOfWords(line).status())) << line;
  }
}

}  // namespace
}  // namespace srcsel
