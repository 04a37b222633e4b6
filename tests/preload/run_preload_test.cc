// `srcsel run --via preload`, typed by an ordinary user: what it tells, refuses, follows and
// leaves.

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "lab/run_eventually.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RunPreloadTest : public PreloadTest {
 protected:
  Result RunSource(const Words &options) const {
    return Run(Srcsel(options, {Program("source"), kServer4}));
  }

  // One line, status 125, and nothing done.
  static void ExpectRefused(const Result &result, const std::string &why) {
    EXPECT_EQ(result.status, 125) << result.out;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(StartsWith("srcsel: "), HasSubstr(why)));
  }
};

TEST_F(RunPreloadTest, AutoSaysWhatItTookAndWhy) {
  const Result result = Run({.argv = AsNobody({srcsel(), "run", "--source", "10.0.0.1", "--",
                                               Program("source"), kServer4})});
  EXPECT_EQ(result.out, "10.0.0.1 0\n");
  EXPECT_THAT(result.err, HasSubstr("srcsel: source 10.0.0.1, via preload (not bpf: "));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
}

// Also behind "#!", where it is the interpreter that counts.
TEST_F(RunPreloadTest, WhatItCannotReachIsRefused) {
  const std::string other = Program("source");
  ASSERT_EQ(
      RunCommand({.argv = {"sh", "-c",
                           "printf '\\267\\000' | dd of=" + other + " bs=1 seek=18 conv=notrunc"}})
          ->status,
      0);
  const struct {
    std::string program, why;
  } unreached[] = {{"/sbin/ldconfig", "is static"},
                   {"/bin/su", "is set-uid"},
                   {other, "is for another processor"}};
  for (const auto &[program, why] : unreached) {
    ExpectRefused(Run(Srcsel({"--mark", "100"}, {program, "-p"})), program + " " + why);
    ASSERT_TRUE(here_.Write("script", "#! " + program + " -p\n").ok());
    const std::string script = here_.path() + "/script";
    std::filesystem::permissions(script, std::filesystem::perms(0755));
    ExpectRefused(Run(Srcsel({"--mark", "100"}, {script})), program + " " + why);
  }
  ExpectRefused(Run(Srcsel({"--mark", "100"}, {"su"})), "is set-uid");
}

TEST_F(RunPreloadTest, WhatItCannotDoIsRefused) {
  const Words options{"--source", "10.0.0.1", "--ports", "20000-20100"};
  ExpectRefused(RunSource(options), "net.ipv4.ip_local_port_range");
  for (const std::string unknown : {"cgroup = '/'", "classid = '1:1'"}) {
    ASSERT_TRUE(
        here_.Write("policy.toml", absl::StrCat("[[rule]]\n", unknown, "\nmark = 100\n")).ok());
    ExpectRefused(RunSource({"--policy", here_.path() + "/policy.toml"}),
                  absl::StrCat("rule.", unknown.substr(0, unknown.find(' '))));
  }
}

TEST_F(RunPreloadTest, PortsAreRefusedWhereTheKernelHasNoRangeForThem) {
  const Words options{"--source", "10.0.0.1", "--ports", "40000-40100"};
  Words words = SrcselWords(options, {Program("source"), kServer4});
  EXPECT_EQ(Run({.argv = AsNobody(words)}).out, "10.0.0.1 0\n");
  words.insert(words.begin(), Program("linux_6_2"));
  ExpectRefused(Run({.argv = AsNobody(words)}), "--ports: the preload needs Linux 6.3 for ports");
}

TEST_F(RunPreloadTest, CommandAndStatusAreTheCommandsOwn) {
  EXPECT_EQ(Run(Srcsel({"--mark", "100"}, {"sh", "-c", "exit 7"})).status, 7);
  EXPECT_EQ(Run(Srcsel({"--mark", "100"}, {"/no/such/command"})).status, 127);
}

TEST_F(RunPreloadTest, GrandchildrenAreUnderItAndItFollowsTheKernel) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Words ask{"sh", "-c",
                  Program("source") + " 192.0.2.80; while read line; do " + Program("source") +
                      " 192.0.2.80; done"};
  Process run = client_.Spawn(Srcsel({"--mark", "100"}, ask)).value();
  EXPECT_EQ(run.WaitForLine("").value(), "10.1.0.1 0");
  ASSERT_TRUE(client_.Ip("route change default via 10.1.0.254 src 10.1.0.2 table 100").ok());
  EXPECT_TRUE(Eventually(
      [&] { return run.Write("\n").ok() && run.WaitForLine("").value() == "10.1.0.2 0"; }));
}

// What daemons do: their parent ends, their descriptors are closed.
TEST_F(RunPreloadTest, TheImageStaysUntilTheLastProcessHasEnded) {
  const std::string fifo = here_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0666), 0);
  std::filesystem::permissions(fifo, std::filesystem::perms(0666));
  const std::string daemon = "setsid timeout 60 sh -c 'read line <" + fifo + "' >&- 2>&- <&- &";
  const Words lines =
      Lines(Srcsel({"--source", "10.0.0.1"}, {"sh", "-c", daemon + " echo $SRCSEL_IMAGE"}));
  ASSERT_THAT(lines, testing::SizeIs(1));
  struct stat file;
  ASSERT_EQ(stat(lines[0].c_str(), &file), 0) << lines[0];
  EXPECT_EQ(file.st_uid, 65534u);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  std::ofstream(fifo) << "end" << std::endl;
  const std::string folder = std::filesystem::path(lines[0]).parent_path();
  EXPECT_TRUE(Eventually([&] { return !std::filesystem::exists(folder); })) << folder;
}

}  // namespace
}  // namespace srcsel::lab
