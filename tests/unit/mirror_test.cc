#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/match.h"
#include "mirror_world.hh"

namespace srcsel {
namespace {

TEST_F(MirrorTest, AnswersWhenItIsOpen) {
  const auto mirror = Open();
  EXPECT_EQ(mirror->generation(), 1u);
  EXPECT_TRUE(mirror->current());
  EXPECT_TRUE(mirror->status().status.ok());
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), "10.0.0.1");
  EXPECT_EQ(SourceOf(*mirror, To(kFar4, 100)), "10.1.0.1");
  EXPECT_EQ(SourceOf(*mirror, To(kFar6)), "fd00::1");
  const Selection lookup = *mirror->Lookup(To(kFar4));
  EXPECT_EQ(*mirror->LinkName(lookup.outcome.oif), "v0");
  EXPECT_EQ(lookup.generation, 1u);
  EXPECT_EQ(mirror->LinkName(999).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(MirrorTest, FollowsInProcess) {
  const auto mirror = Open();
  Ip("address add 10.0.0.9/24 dev v0");
  Ip("route change default via 10.0.0.254 src 10.0.0.9");
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), "10.0.0.1");
  ASSERT_TRUE(Until(*mirror, [&] { return SourceOf(*mirror, To(kFar4)) == "10.0.0.9"; }));
  EXPECT_TRUE(mirror->current());
  EXPECT_EQ(mirror->Select(To(kFar4))->generation, mirror->generation());
}

TEST_F(MirrorTest, IsNotCurrentOnceItHasHeard) {
  const auto mirror = Open();
  Ip("route del default");
  pollfd one{mirror->fd(), POLLIN, 0};
  ASSERT_EQ(poll(&one, 1, 10000), 1);
  ASSERT_TRUE(mirror->Process().ok());
  EXPECT_FALSE(mirror->current());
  ASSERT_TRUE(Until(*mirror, [&] { return mirror->current(); }));
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), std::to_string(ENETUNREACH));
}

TEST_F(MirrorTest, FollowsByItself) {
  const auto mirror = Open({});
  EXPECT_EQ(mirror->fd(), -1);
  EXPECT_EQ(mirror->Process().code(), absl::StatusCode::kFailedPrecondition);
  Ip("address add 10.0.0.9/24 dev v0");
  Ip("route change default via 10.0.0.254 src 10.0.0.9");
  EXPECT_TRUE(ByItself([&] { return SourceOf(*mirror, To(kFar4)) == "10.0.0.9"; }));
}

TEST_F(MirrorTest, ABurstIsReadOnce) {
  const auto mirror = Open();
  std::string lines;
  for (int i = 0; i < 200; ++i)
    absl::StrAppend(&lines, "route add 198.51.100.", i, " via 10.0.0.254\n");
  IpBatch(lines);
  ASSERT_TRUE(Until(*mirror, [&] { return mirror->current() && mirror->generation() > 1; }));
  EXPECT_EQ(mirror->generation(), 2u);
}

// Nothing tells of these.
TEST_F(MirrorTest, LooksWhereNothingIsAnnounced) {
  const auto mirror = Open();
  std::uint64_t seen = mirror->generation();
  const auto changes = [&] { return Until(*mirror, [&] { return mirror->generation() > seen; }); };
  SetSysctl("ipv4/ip_nonlocal_bind", "1");
  EXPECT_TRUE(changes()) << "a sysctl";
  seen = mirror->generation();
  Ip("addrlabel add prefix 2001:db8::/32 label 77");
  EXPECT_TRUE(changes()) << "an address label";
  seen = mirror->generation();
  SetSysctl("ipv6/conf/v0/use_oif_addrs_only", "1");
  EXPECT_TRUE(changes()) << "a device's setting";
}

// The kernel itself tells of it when it next cleans up, half a minute later.
TEST_F(MirrorTest, ForgetsARouteWhenItExpires) {
  Ip("-6 route add 2001:db8::/32 via fd00::fd dev v0 expires 1");
  const auto mirror = Open();
  const auto gateway = [&] { return mirror->Lookup(To(kFar6))->outcome.gateway->ToString(); };
  ASSERT_EQ(gateway(), "fd00::fd");
  const auto expires = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  ASSERT_TRUE(Until(*mirror, [&] { return gateway() == "fd00::fe"; }));
  EXPECT_LT(std::chrono::steady_clock::now(), expires + std::chrono::seconds(15));
  EXPECT_EQ(std::system("ip -6 route get 2001:db8::80 | grep -q 'via fd00::fe '"), 0);
}

TEST_F(MirrorTest, OfAnotherNamespaceLeavesTheThreadWhereItIs) {
  const Fd here = *OwnNetns();
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  const Fd there = *OwnNetns();
  const auto mirror =
      Open({.netns = absl::StrCat("/proc/self/fd/", here.get()), .threadless = true});
  EXPECT_TRUE(SameNetns(*OwnNetns(), there));
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), "10.0.0.1");
  ASSERT_TRUE(EnterNetns(here).ok());
  Ip("route del default");
  ASSERT_TRUE(EnterNetns(there).ok());
  EXPECT_TRUE(Until(*mirror, [&] { return SourceOf(*mirror, To(kFar4)) != "10.0.0.1"; }));
}

TEST_F(MirrorTest, NoSuchNamespace) {
  EXPECT_EQ(Mirror::Open({.netns = "no-such-netns"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Mirror::Open({.netns = "/dev/null"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

std::set<std::string> Threads() {
  std::set<std::string> threads;
  for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task"))
    threads.insert(entry.path());
  return threads;
}

TEST_F(MirrorTest, ItsThreadTakesNoSignals) {
  const std::set<std::string> before = Threads();
  const auto mirror = Open({});
  // While a thread starts, the C library blocks even more.
  EXPECT_TRUE(ByItself([&] {
    int found = 0;
    for (const std::string &thread : Threads()) {
      if (before.contains(thread)) continue;
      std::ifstream status(thread + "/status");
      for (std::string line; std::getline(status, line);)
        found += absl::StartsWith(line, "SigBlk:\tfffffffe7ffbfeff");
    }
    return found == 1;
  }));
}

// Any number of readers, and each answer belongs to some state that was.
TEST_F(MirrorTest, ManyReadWhileRoutesFlap) {
  Ip("address add 10.0.0.9/24 dev v0");
  const auto mirror = Open({});
  std::atomic<bool> done = false;
  std::atomic<int> strange = 0, backwards = 0;
  std::atomic<std::uint64_t> answers = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([&] {
      std::uint64_t last = 0;
      while (!done) {
        const absl::StatusOr<Selection> selection = mirror->Select(To(kFar4));
        const std::string source =
            selection.ok() ? selection->outcome.source.ToString() : "an error";
        if (source != "10.0.0.1" && source != "10.0.0.9") ++strange;
        if (selection->generation < last) ++backwards;
        last = selection->generation;
        ++answers;
      }
    });
  std::string lines;
  for (int i = 0; i < 500; ++i)
    absl::StrAppend(&lines, "route replace default via 10.0.0.254 src 10.0.0.", i % 2 ? 1 : 9,
                    "\n");
  for (int i = 0; i < 5; ++i) IpBatch(lines);
  // A mirror is current that has not heard yet; so the last change is one to wait for.
  const Flow last = To("192.0.2.81");
  Ip("route add prohibit 192.0.2.81");
  EXPECT_TRUE(ByItself([&] { return SourceOf(*mirror, last) == std::to_string(EACCES); }));
  done = true;
  for (std::thread &reader : readers) reader.join();
  EXPECT_EQ(strange, 0);
  EXPECT_EQ(backwards, 0);
  EXPECT_GT(answers, 0u);
  EXPECT_GT(mirror->generation(), 2u);
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), "10.0.0.1");
}

}  // namespace
}  // namespace srcsel
