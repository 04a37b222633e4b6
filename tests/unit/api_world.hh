// The C API in the namespace of mirror_world.hh.

#pragma once

#include <arpa/inet.h>

#include <cstring>
#include <string>

#include "mirror_world.hh"
#include <srcsel/srcsel.h>

namespace srcsel {

class ApiTest : public MirrorTest {
 protected:
  void SetUp() override {
    MirrorTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const srcsel_open_options options{sizeof(options), SRCSEL_THREADLESS, nullptr};
    ASSERT_EQ(srcsel_open(&options, &mirror_), 0) << srcsel_last_error();
  }
  void TearDown() override {
    srcsel_close(&mirror_);
    MirrorTest::TearDown();
  }

  static srcsel_sockaddr Sockaddr(const std::string &text, std::uint16_t port = 0) {
    srcsel_sockaddr address{};
    if (inet_pton(AF_INET, text.c_str(), &address.v4.sin_addr) == 1) {
      address.v4.sin_family = AF_INET;
      address.v4.sin_port = htons(port);
    } else {
      EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &address.v6.sin6_addr), 1) << text;
      address.v6.sin6_family = AF_INET6;
      address.v6.sin6_port = htons(port);
    }
    return address;
  }
  static std::string Text(const srcsel_sockaddr &address) {
    char text[INET6_ADDRSTRLEN] = "none";
    if (address.any.sa_family == AF_INET)
      inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof(text));
    if (address.any.sa_family == AF_INET6)
      inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text));
    return text;
  }

  static srcsel_question Question(const std::string &destination, std::uint32_t mark = 0) {
    srcsel_question question{};
    question.size = sizeof(question);
    question.destination = Sockaddr(destination, 80);
    question.mark = mark;
    return question;
  }
  static srcsel_answer Answer() {
    srcsel_answer answer{};
    answer.size = sizeof(answer);
    return answer;
  }
  int Select(const srcsel_question &question) {
    srcsel_answer answer = Answer();
    return srcsel_select(mirror_, &question, &answer);
  }

  srcsel_mirror *mirror_ = nullptr;
};

}  // namespace srcsel
