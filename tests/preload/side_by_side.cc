#include "preload/side_by_side.hh"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace srcsel::lab {
namespace {

using Times = std::array<std::vector<double>, kWays>;

constexpr uid_t kNobody = 65534;
// More than that of the best round is too much. What connects anew for each little request, as
// redis can, comes near it on a busy host.
constexpr double kTooMuch = 0.25;
constexpr std::size_t kEnoughRounds = 10;  // for one of them to have had the host for itself

double Seconds() {
  const char *wanted = std::getenv("SRCSEL_SECONDS");
  return wanted ? std::atof(wanted) : 0;
}

double Quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

// How much longer than without the preload: of the median round (0.5), or of the best (0).
double More(const Times &took, Way way, double part) {
  return Quantile(took[way], part) / Quantile(took[kWithout], part) - 1;
}

// A line: seconds a round, and how much more under the preload; of the best round, and the median.
void Print(const std::string &name, const Times &took) {
  std::printf("%-22s %3zu rounds", name.c_str(), took[kImage].size());
  for (const double part : {0.0, 0.5})
    std::printf(", %s %6.3f s, image %+6.1f%%, kernel %+6.1f%%", part == 0 ? "best" : "median",
                Quantile(took[kWithout], part), More(took, kImage, part) * 100,
                More(took, kKernel, part) * 100);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

SideBySideTest::SideBySideTest() : server_(lab_.host("server")) {
  EXPECT_TRUE(RouteBySource(lab_).ok());
  // Or ports run out, with the preload or without.
  EXPECT_TRUE(client_.SetSysctl("net.ipv4.tcp_tw_reuse", "1").ok());
}

void SideBySideTest::TearDown() {
  for (Process &server : servers_) {
    EXPECT_TRUE(server.Signal(SIGINT).ok());
    EXPECT_FALSE(server.Wait().timed_out);
  }
}

int SideBySideTest::Many(int few, int many) {
  return Seconds() > 0 ? many : few;
}

std::string SideBySideTest::Home(const std::string &name) const {
  const std::string path = absl::StrCat(here_.path(), "/", name);
  std::filesystem::create_directory(path);
  EXPECT_EQ(chown(path.c_str(), kNobody, kNobody), 0);
  return path;
}

Command SideBySideTest::Under(Way way, const Host &host, const Words &words) const {
  const bool is_client = &host == &client_;
  if (way == kWithout) return Plain(words);
  if (way == kImage)
    return Srcsel(is_client ? Words{"--mark", "100"} : Words{"--source", kServer4}, words);
  return Preloaded(words, {is_client ? "SRCSEL_SOURCE=10.1.0.1,fd00:1::1"
                                     : "SRCSEL_SOURCE=192.0.2.80,2001:db8:80::80"});
}

void SideBySideTest::Serve(const Host &host, const std::function<Words(Way)> &words,
                           const std::string &ready) {
  for (const Way way : {kWithout, kImage, kKernel}) {
    servers_.push_back(host.Spawn(Under(way, host, words(way))).value());
    const auto line = servers_.back().WaitForLine(ready);
    ASSERT_TRUE(line.ok()) << line.status();
  }
}

void SideBySideTest::OnlyUnicom(bool only) const {
  EXPECT_TRUE(server_
                  .Ip(only ? "route replace blackhole 10.0.0.0/24"
                           : "route replace 10.0.0.0/24 via 198.51.100.1")
                  .ok());
  EXPECT_TRUE(server_
                  .Ip(only ? "-6 route replace blackhole fd00::/64"
                           : "-6 route replace fd00::/64 via 2001:db8:a::1")
                  .ok());
}

double SideBySideTest::Took(const Load &load, Way way) const {
  OnlyUnicom(way != kWithout);
  const auto start = std::chrono::steady_clock::now();
  const Result result = Run(Under(way, client_, load.words(way)));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(result.ok()) << load.name << ": " << result.ToString() << result.out;
  EXPECT_THAT(result.out, testing::HasSubstr(load.shows)) << load.name << ": " << result.err;
  return took.count();
}

void SideBySideTest::Compare(const Load &load) {
  Times took;
  int turn = 0;
  do {
    // Another one begins each round.
    for (int i = 0; i < kWays; ++i) {
      const Way way = static_cast<Way>((turn + i) % kWays);
      took[way].push_back(Took(load, way));
    }
    for (Process &server : servers_) server.ReadOn();
    ++turn;
    if (HasFailure()) return;
  } while (std::accumulate(took[kImage].begin(), took[kImage].end(), 0.0) < Seconds());
  Print(load.name, took);
  if (took[kImage].size() < kEnoughRounds) return;
  EXPECT_LT(More(took, kImage, 0), kTooMuch) << load.name;
  EXPECT_LT(More(took, kKernel, 0), kTooMuch) << load.name;
}

}  // namespace srcsel::lab
