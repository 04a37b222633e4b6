#include "base/cgroup_root.hh"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

std::string PointOf(absl::string_view mountinfo, absl::string_view own) {
  const absl::StatusOr<CgroupMount> mount = FindCgroupMount(mountinfo, own);
  return mount.ok() ? mount->point + " shows " + mount->root
                    : std::string(mount.status().message());
}

constexpr absl::string_view kUnified =
    "22 27 0:20 / /sys rw,nosuid - sysfs sysfs rw\n"
    "29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

constexpr absl::string_view kHybrid =
    "30 22 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n"
    "31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n"
    "32 30 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,name=systemd\n";

TEST(OwnCgroup, IsTheLineOfTheUnifiedHierarchy) {
  EXPECT_EQ(FindOwnCgroup("0::/\n").value(), "/");
  EXPECT_EQ(FindOwnCgroup("0::/user.slice/user-0.slice/session-1.scope\n").value(),
            "/user.slice/user-0.slice/session-1.scope");
  EXPECT_EQ(FindOwnCgroup("9:name=systemd:/a\n4:memory:/b\n0::/c\n").value(), "/c");
  EXPECT_EQ(FindOwnCgroup("10::/wrong\n0::/a::b\n").value(), "/a::b");
}

TEST(OwnCgroup, IsAnErrorWithoutThatHierarchy) {
  for (const absl::string_view table : {"", "4:memory:/b\n1:name=systemd:/\n", "10::/b\n"})
    EXPECT_EQ(FindOwnCgroup(table).status(),
              absl::NotFoundError("find cgroup v2: /proc/self/cgroup has no line '0::': it has not "
                                  "been mounted since the system was booted, or the kernel was "
                                  "built without it"));
}

TEST(OldCgroup, IsThatOfTheHierarchyWithTheController) {
  constexpr absl::string_view table =
      "12:net_cls,net_prio:/a:b/c\n4:memory:/m\n1:name=net_cls:/n\n0::/u\n";
  EXPECT_EQ(FindOldCgroup(table, "net_cls"), "/a:b/c");
  EXPECT_EQ(FindOldCgroup(table, "net_prio"), "/a:b/c");
  EXPECT_EQ(FindOldCgroup(table, "memory"), "/m");
  EXPECT_EQ(FindOldCgroup(table, "net"), std::nullopt);
  EXPECT_EQ(FindOldCgroup("0::/u\n", "net_cls"), std::nullopt);
}

TEST(CgroupMount, OfAController) {
  const auto of = [](absl::string_view controller) {
    const auto mount = FindCgroupMount(
        "32 30 0:28 / /a rw shared:11 - cgroup cgroup rw,name=net_cls\n"
        "33 30 0:29 /docker /b rw - cgroup cgroup rw,net_cls,net_prio\n",
        "/docker/x", controller);
    return mount.ok() ? mount->point + " shows " + mount->root
                      : std::string(mount.status().message());
  };
  EXPECT_EQ(of("net_cls"), "/b shows /docker");
  EXPECT_EQ(of("net_prio"), "/b shows /docker");
  EXPECT_EQ(of("memory"), "find cgroup memory: no mount shows /docker/x");
  EXPECT_EQ(of(""), "find cgroup v2: no mount shows /docker/x");
}

TEST(CgroupMount, OfAPureHost) {
  EXPECT_EQ(PointOf(kUnified, "/user.slice"), "/sys/fs/cgroup shows /");
  EXPECT_EQ(PointOf(kUnified, "/"), "/sys/fs/cgroup shows /");
}

TEST(CgroupMount, OfAHybridHost) {
  EXPECT_EQ(PointOf(kHybrid, "/user.slice"), "/sys/fs/cgroup/unified shows /");
}

TEST(CgroupDirectory, IsBelowTheMountOfV2) {
  for (const char *path : {"a/b", "/a/b", "/sys/fs/cgroup/a/b", "/sys/fs/cgroup/unified/a/b"})
    EXPECT_EQ(CgroupDirectory(path, "/sys/fs/cgroup/unified"), "/sys/fs/cgroup/unified/a/b");
  EXPECT_EQ(CgroupDirectory("/sys/fs/cgroup/a", "/sys/fs/cgroup"), "/sys/fs/cgroup/a");
}

TEST(CgroupMount, WithOrWithoutOptionalFields) {
  EXPECT_EQ(PointOf("1 0 0:1 / /a rw - cgroup2 none rw\n", "/x"), "/a shows /");
  EXPECT_EQ(PointOf("1 0 0:1 / /a rw shared:1 master:2 propagate_from:3 - cgroup2 none rw\n", "/x"),
            "/a shows /");
}

TEST(CgroupMount, OfAContainerShowsItsPartOnly) {
  constexpr absl::string_view container =
      "50 40 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  EXPECT_EQ(PointOf(container, "/docker/abc"), "/sys/fs/cgroup shows /docker/abc");
  EXPECT_EQ(PointOf(container, "/docker/abc/init"), "/sys/fs/cgroup shows /docker/abc");
  for (const char *other : {"/docker/abcd", "/docker", "/", "/user.slice"})
    EXPECT_EQ(PointOf(container, other), std::string("find cgroup v2: no mount shows ") + other);
}

TEST(CgroupMount, IsTheFirstThatShowsTheCgroup) {
  const std::string both =
      absl::StrCat("50 40 0:26 /docker/abc /other rw - cgroup2 cgroup rw\n", kUnified);
  EXPECT_EQ(PointOf(both, "/user.slice"), "/sys/fs/cgroup shows /");
  EXPECT_EQ(PointOf(both, "/docker/abc"), "/other shows /docker/abc");
}

TEST(CgroupMount, IsNotOneOfAnotherTypeThatLooksLikeIt) {
  for (const char *line :
       {"1 0 0:1 / /cgroup2 rw - cgroup cgroup2 rw\n", "1 0 0:1 / /cgroup2 rw - tmpfs cgroup2 rw\n",
        "1 0 0:1 / /a rw - cgroup2x none rw\n", "cgroup2\n", " - cgroup2 \n", ""})
    EXPECT_EQ(PointOf(line, "/"), "find cgroup v2: no mount shows /") << line;
}

// proc(5): blank, tab, newline and backslash are written in octal.
TEST(CgroupMount, IsReadWithoutItsEscapes) {
  EXPECT_EQ(PointOf("1 0 0:1 / /my\\040cgroup\\011\\012\\134x rw - cgroup2 none rw\n", "/x"),
            "/my cgroup\t\n\\x shows /");
  EXPECT_EQ(PointOf("1 0 0:1 /a\\040b /c rw - cgroup2 none rw\n", "/a b/c"), "/c shows /a b");
}

}  // namespace
}  // namespace srcsel
