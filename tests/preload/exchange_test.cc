// The image is replaced again and again under programs that connect, fork and are interrupted, and
// no decision is made on anything but one whole image.

#include <fstream>
#include <iterator>
#include <thread>

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

class ExchangeTest : public PreloadTest {
 protected:
  // An image of one rule for every flow; `prefixes` make it larger.
  std::string CompileFor(const std::string &source, int prefixes) const {
    std::string text = "[set.many]\nprefixes = [\"192.0.2.0/24\"";
    for (int i = 0; i < prefixes; ++i)
      absl::StrAppend(&text, ", \"", i / 250 + 20, ".", i % 250, ".0.0/24\"");
    absl::StrAppend(&text, "]\n[[rule]]\nto = \"@many\"\nsource = \"", source, "\"\n");
    EXPECT_TRUE(here_.Write("policy.toml", text).ok());
    const std::string out = absl::StrCat(here_.path(), "/", source, ".image");
    const Result result = client_
                              .Run({.argv = {srcsel(), "check", here_.path() + "/policy.toml",
                                             "--compile", out}})
                              .value();
    EXPECT_TRUE(result.ok()) << result.out << result.err;
    return out;
  }

  void Put(const std::string &image) const {
    namespace fs = std::filesystem;
    const std::string fresh = here_.path() + "/image.new";
    fs::copy_file(image, fresh, fs::copy_options::overwrite_existing);
    fs::rename(fresh, here_.path() + "/image");
  }

  // Runs the storm while the two images take turns.
  Result Storm(const std::string &program, Words env, const std::string &threads,
               const std::string &rounds) {
    const std::string small = CompileFor("10.1.0.1", 0), large = CompileFor("10.1.0.2", 3000);
    Put(small);
    env.push_back("SRCSEL_IMAGE=" + here_.path() + "/image");
    Words words{"setarch", "-R", Program(program), threads, rounds, "10.1.0.1", "10.1.0.2"};
    std::atomic<bool> done = false;
    std::thread exchanger([&] {
      while (!done) {
        Put(large);
        Put(small);
      }
    });
    const Result result = Run(Preloaded(words, env));
    done = true;
    exchanger.join();
    return result;
  }
};

TEST_F(ExchangeTest, UnderTwoHundredThreads) {
  const Result result = Storm("storm", {}, "200", "200");
  EXPECT_TRUE(result.ok()) << result.out << result.ToString();
}

TEST_F(ExchangeTest, UnderAThreadSanitizedProgram) {
  const Result result = Storm("storm_tsan", {}, "8", "100");
  EXPECT_TRUE(result.ok()) << result.out << result.ToString();
}

TEST_F(ExchangeTest, UnderAnAddressSanitizedProgram) {
  const Result result =
      Storm("storm_asan", {"ASAN_OPTIONS=verify_asan_link_order=0"}, "8", "100");
  EXPECT_TRUE(result.ok()) << result.out << result.ToString();
}

TEST_F(ExchangeTest, WhatOthersMayWriteOrTheFileIsNoneIsNotFollowed) {
  const std::string image = CompileFor("10.1.0.1", 0), file = here_.path() + "/image";
  const Words env{"SRCSEL_IMAGE=" + file}, words{Program("source"), kServer4};
  Put(image);
  EXPECT_EQ(Lines(Preloaded(words, env)), Words{"10.1.0.1 0"});
  std::filesystem::permissions(file, std::filesystem::perms(0664));
  EXPECT_EQ(Lines(Preloaded(words, env)), Words{"10.0.0.1 0"});
  std::filesystem::permissions(file, std::filesystem::perms(0644));
  std::filesystem::resize_file(file, 4096);
  EXPECT_EQ(Lines(Preloaded(words, env)), Words{"10.0.0.1 0"});
  std::filesystem::resize_file(file, 100);
  EXPECT_EQ(Lines(Preloaded(words, env)), Words{"10.0.0.1 0"});
}

}  // namespace
}  // namespace srcsel::lab
