// The fixture of all tests of `srcsel run`: a client with two uplinks, and the command typed on it.
//
// Everything is started in a cgroup of the test's own, the run's "caller's cgroup", so that what a
// run leaves behind can be seen: each test ends with a look, and fails if a cgroup does not go.

#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/cgroup.hh"
#include "lab/servers.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {

using Words = std::vector<std::string>;

inline const Words kMark{"--mark", "100"};
inline const Words kBind{"--mark", "100", "--apply", "bind"};

// The next line a dialling program prints, "10.0.0.1 40000 ...", as an endpoint.
inline Endpoint LocalEnd(const std::string &line) {
  const std::size_t first = line.find(' '), second = line.find_first_of(" \n", first + 1);
  return Endpoint::Parse(line.substr(0, first), line.substr(first + 1, second - first - 1)).value();
}

inline std::string SourceIn(const std::string &line) {
  return line.substr(0, line.find(' '));
}

class RunTest : public ::testing::Test {
 protected:
  void TearDown() override {
    EXPECT_TRUE(cgroup_.WaitUntilChildless().ok())
        << "left over: " << ::testing::PrintToString(cgroup_.children());
  }

  // The command without srcsel, in the same cgroup.
  Command Plain(Words words) const { return {.argv = std::move(words), .cgroup = cgroup_.path()}; }

  Command Srcsel(const Words &options, const Words &command) const {
    Words words{SRCSEL, "run", "-q", "--via", "bpf"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    return Plain(std::move(words));
  }

  Result Run(const Words &options, const Words &command) const {
    return client_.Run(Srcsel(options, command)).value();
  }
  Result RunPlain(Words words) const { return client_.Run(Plain(std::move(words))).value(); }
  Process Spawn(const Words &options, const Words &command) const {
    return client_.Spawn(Srcsel(options, command)).value();
  }

  // One line that says what is wrong and names these words, status 125, and nothing else.
  static void ExpectRefused(const Result &result, const Words &named) {
    EXPECT_EQ(result.status, 125) << result.ToString();
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err,
                ::testing::AllOf(::testing::StartsWith("srcsel: "), ::testing::EndsWith("\n")));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    for (const std::string &word : named) EXPECT_THAT(result.err, ::testing::HasSubstr(word));
  }

  // A curl that prints its local address and port.
  static Words Curl(const std::string &server, const Words &options = {}) {
    Words words{"curl",       "--silent",    "--show-error",
                "--max-time", "30",          "--output",
                "/dev/null",  "--write-out", "%{local_ip} %{local_port}\n",
                Url(server)};
    words.insert(words.end(), options.begin(), options.end());
    return words;
  }

  // The cgroup that the only run in progress has made.
  std::string RunCgroupPath() const {
    const std::vector<std::string> names = cgroup_.children();
    EXPECT_THAT(names, ::testing::ElementsAre(::testing::StartsWith("srcsel-run-")));
    return names.empty() ? cgroup_.path() : cgroup_.path() + "/" + names.front();
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
  TestCgroup cgroup_ = TestCgroup::Create().value();
};

}  // namespace srcsel::lab
