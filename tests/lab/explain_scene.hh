// The fixture of the tests of `srcsel explain`: the client with two uplinks, and nothing up.

#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/temp_dir.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {

class ExplainTest : public testing::Test {
 protected:
  using Json = nlohmann::ordered_json;
  using Words = std::vector<std::string>;

  // As a process of the hierarchy's root, with nothing up.
  Result Explain(Words words) const {
    words.insert(words.begin(), {SRCSEL, "explain"});
    return client_
        .Run({.argv = std::move(words), .env = {"SRCSEL_RUN_DIR=" + folder_.path() + "/run"}})
        .value();
  }
  Json ExplainJson(Words words) const {
    words.emplace_back("--json");
    const Result result = Explain(std::move(words));
    Json json = Json::parse(result.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << result.ToString() << result.out;
    return json;
  }
  void Ip(const std::vector<std::string> &lines) const {
    ASSERT_TRUE(client_.IpBatch("-4", lines).ok());
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
  TempDir folder_ = TempDir::Make().value();
};

}  // namespace srcsel::lab
