#include <sys/wait.h>

#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "api_world.hh"

namespace srcsel {
namespace {

using testing::HasSubstr;

TEST_F(ApiTest, Selects) {
  srcsel_answer answer = Answer();
  const srcsel_question question = Question(kFar4, 100);
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0) << srcsel_last_error();
  EXPECT_EQ(answer.generation, srcsel_generation(mirror_));
  EXPECT_EQ(answer.exact, 1u);
  EXPECT_STREQ(answer.why, "exact");
  EXPECT_EQ(answer.outcome.error, 0);
  EXPECT_STREQ(answer.outcome.device, "v1");
  EXPECT_EQ(answer.outcome.oif, if_nametoindex("v1"));
  EXPECT_EQ(Text(answer.outcome.source), "10.1.0.1");
  EXPECT_EQ(Text(answer.outcome.gateway), "10.1.0.254");
  EXPECT_EQ(Text(answer.outcome.prefix), "0.0.0.0");
  EXPECT_EQ(answer.outcome.prefix_length, 0u);
  EXPECT_EQ(answer.outcome.table, 100u);
  EXPECT_EQ(answer.candidate_count, 0u);
}

TEST_F(ApiTest, SelectsForIpv6AndMapped) {
  srcsel_answer answer = Answer();
  srcsel_question question = Question(kFar6);
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0);
  EXPECT_EQ(Text(answer.outcome.source), "fd00::1");
  question = Question(std::string("::ffff:") + kFar4);
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0);
  EXPECT_EQ(Text(answer.outcome.source), "10.0.0.1");
  question = Question(kFar4);
  ASSERT_EQ(srcsel_lookup(mirror_, &question, &answer), 0);
  EXPECT_EQ(Text(answer.outcome.source), "10.0.0.1");
}

TEST_F(ApiTest, AFlowThatCannotLeaveIsAnAnswer) {
  Ip("route add unreachable 198.51.100.0/24");
  ASSERT_GE(srcsel_process(mirror_), 0);
  srcsel_answer answer = Answer();
  const srcsel_question question = Question("198.51.100.1");
  do {
    pollfd one{srcsel_fd(mirror_), POLLIN, 0};
    ASSERT_EQ(poll(&one, 1, 10000), 1);
    ASSERT_EQ(srcsel_process(mirror_), 0);
  } while (!srcsel_current(mirror_));
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0);
  EXPECT_EQ(answer.outcome.error, EHOSTUNREACH);
}

TEST_F(ApiTest, WritesAsManyCandidatesAsThereIsRoomFor) {
  Ip("route add 198.51.100.0/24 nexthop via 10.0.0.254 dev v0 nexthop via 10.1.0.254 dev v1");
  srcsel_close(&mirror_);
  ASSERT_EQ(srcsel_open(nullptr, &mirror_), 0);
  const srcsel_question question = Question("198.51.100.1");
  std::vector<srcsel_outcome> candidates(3);
  candidates[1].error = candidates[2].error = 12345;
  srcsel_answer answer = Answer();
  answer.candidates = candidates.data();
  answer.candidate_room = 1;
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0);
  EXPECT_EQ(answer.exact, 0u);
  EXPECT_STREQ(answer.why, "hash");
  EXPECT_EQ(answer.candidate_count, 2u);
  EXPECT_EQ(answer.all_known, 1u);
  EXPECT_EQ(candidates[0].error, 0);
  EXPECT_EQ(candidates[1].error, 12345);
  answer.candidate_room = 3;
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0);
  EXPECT_EQ(candidates[1].error, 0);
  EXPECT_EQ(candidates[2].error, 12345);
}

TEST_F(ApiTest, Explains) {
  const srcsel_question question = Question(kFar4, 100);
  char *text = nullptr;
  ASSERT_EQ(srcsel_explain(mirror_, &question, SRCSEL_TEXT, &text), 0) << srcsel_last_error();
  EXPECT_THAT(text, HasSubstr("from 10.1.0.1 by v1 via 10.1.0.254"));
  EXPECT_THAT(text, HasSubstr("table 100"));
  EXPECT_THAT(text, HasSubstr("exact"));
  srcsel_free(text);
  ASSERT_EQ(srcsel_explain(mirror_, &question, SRCSEL_JSON, &text), 0) << srcsel_last_error();
  const auto json = nlohmann::json::parse(text);
  srcsel_free(text);
  EXPECT_EQ(json["dst"], kFar4);
  EXPECT_EQ(json["dev"], "v1");
  EXPECT_EQ(json["gateway"], "10.1.0.254");
  EXPECT_EQ(json["prefsrc"], "10.1.0.1");
  EXPECT_EQ(json["table"], 100);
  EXPECT_EQ(json["exact"], true);
  EXPECT_EQ(json["current"], true);
  EXPECT_FALSE(json.contains("stale"));
}

TEST_F(ApiTest, TellsItsState) {
  std::int64_t since = -1;
  EXPECT_EQ(srcsel_status(mirror_, &since), 0);
  EXPECT_EQ(since, 0);
  EXPECT_EQ(srcsel_status(mirror_, nullptr), 0);
  EXPECT_EQ(srcsel_current(mirror_), 1);
  EXPECT_EQ(srcsel_version(), SRCSEL_VERSION);
}

TEST_F(ApiTest, AThreadedOneHasNothingToWaitFor) {
  srcsel_mirror *threaded = nullptr;
  ASSERT_EQ(srcsel_open(nullptr, &threaded), 0);
  EXPECT_EQ(srcsel_fd(threaded), -EOPNOTSUPP);
  EXPECT_EQ(srcsel_process(threaded), -EOPNOTSUPP);
  srcsel_close(&threaded);
}

TEST_F(ApiTest, AChildReopens) {
  const pid_t child = fork();
  if (child == 0) {
    if (Select(Question(kFar4)) != -ESTALE || srcsel_fd(mirror_) != -ESTALE) _exit(1);
    if (srcsel_status(mirror_, nullptr) != -ESTALE || srcsel_generation(mirror_) != 0) _exit(2);
    if (srcsel_reopen(mirror_) != 0 || Select(Question(kFar4)) != 0) _exit(3);
    _exit(srcsel_fd(mirror_) >= 0 ? 0 : 4);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// ---- misuse ----

TEST_F(ApiTest, NoHandle) {
  const srcsel_question question = Question(kFar4);
  const srcsel_sockaddr to = Sockaddr(kFar4);
  srcsel_answer answer = Answer();
  char *text = nullptr;
  EXPECT_EQ(srcsel_select(nullptr, &question, &answer), -EBADF);
  EXPECT_THAT(srcsel_last_error(), HasSubstr("NULL"));
  EXPECT_EQ(srcsel_lookup(nullptr, &question, &answer), -EBADF);
  EXPECT_EQ(srcsel_explain(nullptr, &question, SRCSEL_TEXT, &text), -EBADF);
  EXPECT_EQ(srcsel_prepare(nullptr, 0, &to.any, sizeof(to), nullptr, nullptr), -EBADF);
  EXPECT_EQ(srcsel_fd(nullptr), -EBADF);
  EXPECT_EQ(srcsel_process(nullptr), -EBADF);
  EXPECT_EQ(srcsel_reopen(nullptr), -EBADF);
  EXPECT_EQ(srcsel_status(nullptr, nullptr), -EBADF);
  EXPECT_EQ(srcsel_current(nullptr), -EBADF);
  EXPECT_EQ(srcsel_generation(nullptr), 0u);
  srcsel_close(nullptr);
  srcsel_free(nullptr);
}

TEST_F(ApiTest, AClosedHandleIsNone) {
  srcsel_close(&mirror_);
  EXPECT_EQ(mirror_, nullptr);
  srcsel_close(&mirror_);
  EXPECT_EQ(Select(Question(kFar4)), -EBADF);
}

TEST_F(ApiTest, MissingArguments) {
  const srcsel_question question = Question(kFar4);
  srcsel_answer answer = Answer();
  EXPECT_EQ(srcsel_open(nullptr, nullptr), -EINVAL);
  EXPECT_EQ(srcsel_select(mirror_, nullptr, &answer), -EINVAL);
  EXPECT_EQ(srcsel_select(mirror_, &question, nullptr), -EINVAL);
  EXPECT_EQ(srcsel_explain(mirror_, &question, SRCSEL_TEXT, nullptr), -EINVAL);
  EXPECT_EQ(srcsel_prepare(mirror_, 0, nullptr, 128, nullptr, nullptr), -EINVAL);
}

TEST_F(ApiTest, NoSuchNamespaceOrFlag) {
  srcsel_mirror *other = nullptr;
  srcsel_open_options options{sizeof(options), 0, "no-such-netns"};
  EXPECT_EQ(srcsel_open(&options, &other), -ENOENT);
  EXPECT_THAT(srcsel_last_error(), HasSubstr("no-such-netns"));
  options = {sizeof(options), 0x80, nullptr};
  EXPECT_EQ(srcsel_open(&options, &other), -EINVAL);
  EXPECT_EQ(other, nullptr);
}

TEST_F(ApiTest, SizesThatCannotBe) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(srcsel_question) - 1,
                                 std::size_t{1} << 40, ~std::size_t{0}}) {
    srcsel_question question = Question(kFar4);
    question.size = size;
    EXPECT_EQ(Select(question), -EINVAL) << size;
    question.size = sizeof(question);
    srcsel_answer answer = Answer();
    answer.size = size;
    EXPECT_EQ(srcsel_select(mirror_, &question, &answer), -EINVAL) << size;
  }
  for (const std::size_t size : {std::size_t{8}, ~std::size_t{0}}) {
    const srcsel_open_options options{size, 0, nullptr};
    srcsel_mirror *other = nullptr;
    EXPECT_EQ(srcsel_open(&options, &other), -EINVAL) << size;
  }
}

// Made by a program that is newer than the library.
TEST_F(ApiTest, LongerStructures) {
  struct Newer {
    srcsel_question question;
    std::uint64_t more;
  } newer{Question(kFar4), 0};
  newer.question.size = sizeof(newer);
  EXPECT_EQ(Select(newer.question), 0);
  newer.more = 1;
  EXPECT_EQ(Select(newer.question), -E2BIG);
  struct NewerAnswer {
    srcsel_answer answer;
    std::uint64_t more;
  } answer{Answer(), 0};
  answer.answer.size = sizeof(answer);
  newer.more = 0;
  EXPECT_EQ(srcsel_select(mirror_, &newer.question, &answer.answer), 0);
  EXPECT_EQ(answer.answer.size, sizeof(answer));
}

TEST_F(ApiTest, FamiliesThatAreNoneOfIp) {
  for (const int family : {AF_UNSPEC, AF_UNIX, AF_PACKET, 0xffff}) {
    srcsel_question question = Question(kFar4);
    question.destination.any.sa_family = static_cast<sa_family_t>(family);
    EXPECT_EQ(Select(question), -EAFNOSUPPORT) << family;
    if (family == AF_UNSPEC) continue;
    question = Question(kFar4);
    question.source.any.sa_family = static_cast<sa_family_t>(family);
    EXPECT_EQ(Select(question), -EAFNOSUPPORT) << family;
  }
}

TEST_F(ApiTest, FamiliesThatDiffer) {
  srcsel_question question = Question(kFar4);
  question.source = Sockaddr("fd00::1");
  srcsel_answer answer = Answer();
  ASSERT_EQ(srcsel_select(mirror_, &question, &answer), 0);
  EXPECT_EQ(answer.outcome.error, EINVAL);
}

TEST_F(ApiTest, HugeNumbers) {
  constexpr std::uint32_t kHuge = 0xffffffff;
  const auto with = [&](std::uint32_t srcsel_question::*member) {
    srcsel_question question = Question(kFar6);
    question.*member = kHuge;
    return Select(question);
  };
  for (const auto member : {&srcsel_question::protocol, &srcsel_question::tos,
                            &srcsel_question::label, &srcsel_question::flags})
    EXPECT_EQ(with(member), -EINVAL);
  for (const auto member : {&srcsel_question::mark, &srcsel_question::uid, &srcsel_question::oif,
                            &srcsel_question::prefer})
    EXPECT_EQ(with(member), 0) << srcsel_last_error();
  char *text = nullptr;
  const srcsel_question question = Question(kFar4);
  EXPECT_EQ(srcsel_explain(mirror_, &question, kHuge, &text), -EINVAL);
  EXPECT_EQ(text, nullptr);
}

}  // namespace
}  // namespace srcsel
