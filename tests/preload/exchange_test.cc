// The image is replaced again and again under programs that connect, fork and are interrupted, and
// no decision is made on anything but one whole image.

#include <fcntl.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <span>
#include <thread>

#include "agent/publish_image.hh"
#include "lab/run_eventually.hh"
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
    const Result result =
        client_.Run({.argv = {srcsel(), "check", here_.path() + "/policy.toml", "--compile", out}})
            .value();
    EXPECT_TRUE(result.ok()) << result.out << result.err;
    return out;
  }

  void Put(const std::string &image) const {
    const Fd directory(open(here_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::ifstream file(image, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    ASSERT_TRUE(PublishImage(directory, "image", std::as_bytes(std::span(bytes)), 0644).ok());
  }

  // Runs the storm while the two images take turns.
  Result Storm(const std::string &program, const std::string &library, const std::string &rounds) {
    const std::string small = CompileFor("10.1.0.1", 0), large = CompileFor("10.1.0.2", 3000);
    Put(small);
    const Words env = SanitizedEnvironment({"SRCSEL_IMAGE=" + here_.path() + "/image"});
    const Words words{"setarch", "-R", Program(program), "200", rounds, "10.1.0.1", "10.1.0.2"};
    std::atomic<bool> done = false;
    std::thread exchanger([&] {
      while (!done) {
        Put(large);
        Put(small);
      }
    });
    const Result result = Run(Preloaded(words, env, library));
    done = true;
    exchanger.join();
    return result;
  }
};

TEST_F(ExchangeTest, UnderTwoHundredThreads) {
  const Result result = Storm("storm", library(), "200");
  EXPECT_TRUE(result.ok()) << result.out << result.ToString();
}

TEST_F(ExchangeTest, WatchedByThreadSanitizer) {
  const Result result = Storm("storm_tsan", SanitizedLibrary("tsan"), "65");
  EXPECT_TRUE(result.ok()) << result.out << result.ToString();
}

TEST_F(ExchangeTest, WatchedByAddressSanitizer) {
  const Result result = Storm("storm_asan", SanitizedLibrary("asan"), "65");
  EXPECT_TRUE(result.ok()) << result.out << result.ToString();
}

// By mv, which says nothing to who has the old one mapped.
TEST_F(ExchangeTest, AFileMovedThereIsNoticedToo) {
  const std::string first = CompileFor("10.1.0.1", 0), second = CompileFor("10.1.0.2", 0);
  Put(first);
  const std::string connect =
      "import socket, sys\n"
      "for line in sys.stdin:\n"
      " s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
      " s.connect(('192.0.2.80', 9))\n"
      " print(s.getsockname()[0], flush=True)\n";
  Process program = client_
                        .Spawn(Preloaded({"/usr/bin/python3", "-c", connect},
                                         {"SRCSEL_IMAGE=" + here_.path() + "/image"}))
                        .value();
  const auto source = [&] {
    EXPECT_TRUE(program.Write("\n").ok());
    return program.WaitForLine("").value();
  };
  EXPECT_EQ(source(), "10.1.0.1");
  std::filesystem::rename(second, here_.path() + "/image");
  EXPECT_TRUE(Eventually([&] { return source() == "10.1.0.2"; }));
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
  std::filesystem::remove(file);
  ASSERT_EQ(mkfifo(file.c_str(), 0644), 0);  // nobody will ever write to it
  EXPECT_EQ(Lines(Preloaded(words, env)), Words{"10.0.0.1 0"});
  for (const std::string &path : {here_.path(), std::string("/dev/zero"), std::string(4000, 'x')})
    EXPECT_EQ(Lines(Preloaded(words, {"SRCSEL_IMAGE=" + path})), Words{"10.0.0.1 0"});
}

}  // namespace
}  // namespace srcsel::lab
