// The fixture of all tests of the preload: a client with two uplinks, and programs run on it by an
// ordinary user.
//
// The library, srcsel and the test's own programs are copied to where that user may read them:
// what was built may lie in root's home.

#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "lab/temp_dir.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {

using Words = std::vector<std::string>;

class PreloadTest : public ::testing::Test {
 protected:
  PreloadTest() {
    namespace fs = std::filesystem;
    fs::permissions(here_.path(), fs::perms(0755));
    fs::create_directory(here_.path() + "/bin");
    fs::create_directory(here_.path() + "/lib");
    fs::copy_file(LIBRARY, library());
    fs::copy_file(SRCSEL, srcsel());
  }

  std::string library() const { return here_.path() + "/lib/libsrcsel-preload.so"; }
  std::string srcsel() const { return here_.path() + "/bin/srcsel"; }

  // A program of programs/, where everybody may run it.
  std::string Program(const std::string &name) const {
    const std::string path = absl::StrCat(here_.path(), "/", name);
    if (!std::filesystem::exists(path))
      std::filesystem::copy_file(absl::StrCat(PROGRAMS_BUILT "/", name), path);
    return path;
  }

  // Becoming another user undoes what lets it end with the test; servers shall take theirs along.
  static Words AsNobody(const Words &words) {
    Words all{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=TERM"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }

  // The library as a sanitizer watches it, "asan" or "tsan", for programs that it watches too.
  std::string SanitizedLibrary(const std::string &by) const {
    return Program("libsrcsel-preload-" + by + ".so");
  }
  // Its runtime is the program's.
  static Words SanitizedEnvironment(Words env) {
    env.emplace_back("ASAN_OPTIONS=verify_asan_link_order=0");
    return env;
  }

  // With these variables set, by an ordinary user.
  Command Plain(const Words &words, const Words &env = {}) const {
    return {.argv = AsNobody(words), .env = env};
  }
  Command Preloaded(const Words &words, Words env, const std::string &with = "") const {
    env.push_back("LD_PRELOAD=" + (with.empty() ? library() : with));
    Words all{"env"};
    all.insert(all.end(), env.begin(), env.end());
    all.insert(all.end(), words.begin(), words.end());
    return {.argv = AsNobody(all)};
  }
  // By `srcsel run --via preload`.
  Command Srcsel(const Words &options, const Words &words) const {
    return {.argv = AsNobody(SrcselWords(options, words))};
  }
  Words SrcselWords(const Words &options, const Words &words) const {
    Words all{srcsel(), "run", "-q", "--via", "preload"};
    all.insert(all.end(), options.begin(), options.end());
    all.emplace_back("--");
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }

  Result Run(const Command &command) const { return client_.Run(command).value(); }

  // The lines of its stdout; it must end well.
  Words Lines(const Command &command) const {
    const Result result = Run(command);
    EXPECT_TRUE(result.ok()) << command.ToString() << ": " << result.ToString() << result.out;
    return absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  }

  TempDir here_ = TempDir::Make().value();
  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
};

}  // namespace srcsel::lab
