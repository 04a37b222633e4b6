// Random hosts and random flows: what the library says each flow will do, against what the kernel
// does with it. Zero disagreements.
//
// SRCSEL_HOSTS says how many hosts (0: until stopped) and SRCSEL_FLOWS how many flows on each. Host
// n of a run with SRCSEL_SEED=s is the first of one with SRCSEL_SEED=s+n.

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "absl/strings/numbers.h"
#include "differential/draw.hh"
#include "differential/hosts/run_host.hh"
#include "differential/hosts/terms.hh"

namespace srcsel {
namespace {

constexpr std::size_t kMostFindings = 8;
constexpr std::uint64_t kEnough = 100;  // flows that each term decides

std::uint64_t FromEnvironment(const char *name, std::uint64_t otherwise) {
  const char *text = std::getenv(name);
  std::uint64_t value = otherwise;
  if (text && !absl::SimpleAtoi(text, &value)) ADD_FAILURE() << name << " is no number: " << text;
  return value;
}

class Hosts {
 public:
  void RunAll() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
      threads.emplace_back([this] { RunSome(); });
    for (std::thread &thread : threads) thread.join();
    tally_.Print(std::cout);
  }

  bool Failed() const { return findings_ > 0 || failed_; }
  bool All() const { return hosts_ >= 300 && flows_ >= 500; }
  const Tally &tally() const { return tally_; }

 private:
  void RunSome() {
    for (std::uint64_t n = next_++; (hosts_ == 0 || n < hosts_) && !stop_; n = next_++)
      Take(seed_ + n, RunHost(seed_ + n, static_cast<int>(flows_)));
  }

  void Take(std::uint64_t seed, const absl::StatusOr<HostReport> &report) {
    const std::lock_guard lock(mutex_);
    if (!report.ok()) {
      ADD_FAILURE() << "host of SRCSEL_SEED=" << seed << ": " << report.status();
      failed_ = stop_ = true;
      return;
    }
    tally_.Add(report->tally);
    for (const std::string &finding : report->findings) {
      ADD_FAILURE() << "host of SRCSEL_SEED=" << seed << ":\n" << finding;
      stop_ = stop_ || ++findings_ >= kMostFindings;
    }
    if (hosts_ == 0 && tally_.flows() / 1000000 > printed_) {
      printed_ = tally_.flows() / 1000000;
      tally_.Print(std::cout);
    }
  }

  const std::uint64_t seed_ = Seed();
  const std::uint64_t hosts_ = FromEnvironment("SRCSEL_HOSTS", 300);
  const std::uint64_t flows_ = FromEnvironment("SRCSEL_FLOWS", 500);
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> stop_ = false;
  std::mutex mutex_;
  Tally tally_;
  std::size_t findings_ = 0;
  std::uint64_t printed_ = 0;
  bool failed_ = false;
};

TEST(Hosts, FlowsGoWhereTheKernelSendsThem) {
  if (geteuid() != 0) GTEST_SKIP() << "making network namespaces needs root";
  if (!KernelIsAtLeast(6, 18)) GTEST_SKIP() << "Linux before 6.18 decides by other rules";
  Hosts hosts;
  hosts.RunAll();
  if (hosts.Failed()) return;
  EXPECT_LT(hosts.tally().AmbiguousShare(), 0.02);
  // Besides those that come to a route that is not listed, only those of a VRF, or of a rule that
  // finds its source itself, may be so: no host has either.
  EXPECT_EQ(hosts.tally().incomplete(), 0u);
  if (!hosts.All()) return;
  for (const std::string &term : AllTerms())
    EXPECT_GE(hosts.tally().DecidedBy(term), kEnough) << "flows decided by " << term;
}

}  // namespace
}  // namespace srcsel
