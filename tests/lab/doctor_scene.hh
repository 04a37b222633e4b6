// The fixture of the tests of `srcsel doctor`: what it finds, and its remedies, typed as they are
// printed.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "lab/up_scene.hh"

namespace srcsel::lab {

class DoctorTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_EQ(mount("bpf", above_.c_str(), "bpf", 0, "mode=0700"), 0);
  }

  static Json Parse(const Result &doctor) {
    const Json json = Json::parse(doctor.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << doctor.ToString() << doctor.out;
    return json;
  }
  static std::vector<Json> Findings(const Json &report, const std::string &id) {
    std::vector<Json> found;
    for (const Json &finding : report.at("findings"))
      if (finding.at("id") == id) found.push_back(finding);
    return found;
  }
  std::vector<Json> Find(const std::string &id) const {
    return Findings(Parse(Srcsel({"doctor", "--json"})), id);
  }

  // As somebody types it who reads it.
  void Type(const std::string &remedy) const {
    Command command = CommandOf({"sh", "-c", remedy}, keeper_.path());
    command.env.push_back(absl::StrCat(
        "PATH=", std::filesystem::path(SRCSEL).parent_path().string(), ":", getenv("PATH")));
    const Result result = client_.Run(command).value();
    EXPECT_TRUE(result.ok()) << remedy << ": " << result.ToString();
  }
  // That many findings of the id, all of that severity, and none once their remedies were typed.
  void ExpectMended(const std::string &id, std::size_t count, const std::string &severity) const {
    const std::vector<Json> found = Find(id);
    EXPECT_THAT(found, ::testing::SizeIs(count)) << id;
    for (const Json &finding : found) {
      EXPECT_EQ(finding.at("severity"), severity) << finding;
      Type(finding.at("remedy"));
    }
    EXPECT_THAT(Find(id), ::testing::IsEmpty());
  }
};

}  // namespace srcsel::lab
