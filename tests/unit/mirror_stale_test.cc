#include <sys/resource.h>
#include <sys/syscall.h>

#include <filesystem>
#include <vector>

#include <gmock/gmock.h>

#include "mirror_world.hh"

namespace srcsel {
namespace {

class StaleMirror : public MirrorTest {
 protected:
  void TearDown() override {
    if (named_) std::system(absl::StrCat("ip netns del ", name_, " 2>/dev/null").c_str());
    MirrorTest::TearDown();
  }

  // A namespace of that name that sends from that address.
  void AddNamed(const std::string &address) {
    named_ = true;
    Ip("netns add " + name_);
    Ip(absl::StrCat("-n ", name_, " link add d0 type veth peer name d1"));
    Ip(absl::StrCat("-n ", name_, " address add ", address, "/24 dev d0"));
    Ip(absl::StrCat("-n ", name_, " link set d0 up"));
    Ip(absl::StrCat("-n ", name_, " link set d1 up"));
    Ip(absl::StrCat("-n ", name_, " route add default dev d0"));
  }

  // Puts /dev/null in the place of each routing socket of this process, by a call that no sanitizer
  // takes for a race.
  static int BreakSockets() {
    const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    std::vector<int> routing;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const int fd = std::stoi(entry.path().filename());
      int domain = 0;
      socklen_t size = sizeof(domain);
      if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_NETLINK)
        routing.push_back(fd);
    }
    for (const int fd : routing) EXPECT_EQ(syscall(SYS_dup3, null.get(), fd, O_CLOEXEC), fd);
    return static_cast<int>(routing.size());
  }

  const std::string name_ = absl::StrCat("srcsel-stale-", getpid());

 private:
  bool named_ = false;
};

TEST_F(StaleMirror, FollowsANameFromNamespaceToNamespace) {
  AddNamed("10.7.0.1");
  const auto mirror = Open({.netns = name_, .threadless = true});
  ASSERT_EQ(SourceOf(*mirror, To(kFar4)), "10.7.0.1");
  const std::uint64_t generation = mirror->generation();

  const auto before = std::chrono::system_clock::now();
  Ip("netns del " + name_);
  ASSERT_TRUE(Until(*mirror, [&] { return !mirror->status().status.ok(); }));
  EXPECT_FALSE(mirror->current());
  EXPECT_THAT(std::string(mirror->status().status.message()), testing::HasSubstr(name_));
  const auto since = mirror->status().since;
  EXPECT_GE(since, before);
  EXPECT_LE(since, std::chrono::system_clock::now());
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), "10.7.0.1");
  EXPECT_EQ(mirror->Process().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(mirror->status().since, since);

  AddNamed("10.8.0.1");
  ASSERT_TRUE(Until(*mirror, [&] { return SourceOf(*mirror, To(kFar4)) == "10.8.0.1"; }));
  EXPECT_TRUE(mirror->status().status.ok());
  EXPECT_GT(mirror->generation(), generation);
}

TEST_F(StaleMirror, OpensItsSocketsAgain) {
  const auto mirror = Open();
  ASSERT_EQ(BreakSockets(), 4);
  rlimit usual;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit none{0, usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_TRUE(Until(*mirror, [&] { return !mirror->status().status.ok(); }));
  const absl::Status still = mirror->Process();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_FALSE(still.ok());
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), "10.0.0.1");

  Ip("route del default");
  EXPECT_TRUE(Until(*mirror, [&] { return mirror->current(); }));
  EXPECT_TRUE(mirror->status().status.ok());
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), std::to_string(ENETUNREACH));
  Ip("route add default via 10.0.0.254");
  EXPECT_TRUE(Until(*mirror, [&] { return SourceOf(*mirror, To(kFar4)) == "10.0.0.1"; }));
}

TEST_F(StaleMirror, OpensItsSocketsAgainByItself) {
  const auto mirror = Open({});
  ASSERT_EQ(BreakSockets(), 4);
  EXPECT_TRUE(ByItself([&] { return !mirror->status().status.ok(); }));
  EXPECT_TRUE(ByItself([&] { return mirror->current(); }));
  Ip("route del default");
  EXPECT_TRUE(ByItself([&] { return SourceOf(*mirror, To(kFar4)) != "10.0.0.1"; }));
}

// More at once than the kernel keeps for a socket.
TEST_F(StaleMirror, LostNotificationsAreReadAnew) {
  const auto mirror = Open();
  std::string lines;
  for (int i = 0; i < 5000; ++i)
    absl::StrAppend(&lines, "route add 198.18.", i / 250, ".", i % 250, " via 10.0.0.254\n");
  lines += "route del default\n";
  IpBatch(lines);
  ASSERT_TRUE(Until(*mirror, [&] { return mirror->generation() > 1 && mirror->current(); }));
  EXPECT_TRUE(mirror->status().status.ok());
  EXPECT_EQ(SourceOf(*mirror, To(kFar4)), std::to_string(ENETUNREACH));
  EXPECT_EQ(SourceOf(*mirror, To("198.18.3.7")), "10.0.0.1");
}

}  // namespace
}  // namespace srcsel
