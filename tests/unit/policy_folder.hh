// The fixture of tests whose policy is several files: a folder of their own.

#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "policy_text.hh"

namespace srcsel {

class PolicyFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/srcsel-policy-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    folder_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string &name) const { return folder_ + "/" + name; }
  void Write(const std::string &name, absl::string_view text) const {
    std::ofstream(Path(name)) << text;
  }
  // What is found in it, a line each; paths begin in the folder.
  std::string Found(const std::string &policy) const {
    std::string text = FoundIn(ReadPolicy(policy));
    for (std::size_t at; (at = text.find(folder_ + "/")) != std::string::npos;)
      text.erase(at, folder_.size() + 1);
    return text;
  }

  std::string folder_;
};

}  // namespace srcsel
