// The fixture of tests of what other users see of `srcsel up`: it is up where everybody looks, at
// /run/srcsel, in a mount namespace of the test.

#pragma once

#include <sys/mount.h>
#include <sys/stat.h>

#include "lab/up_scene.hh"

namespace srcsel::lab {

class PublicUpTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_EQ(mount("none", "/run", "tmpfs", 0, "mode=0755"), 0);
    ASSERT_EQ(mkdir(run_.c_str(), 0755), 0);
    ASSERT_EQ(mkdir("/run/srcsel", 0755), 0);
    ASSERT_EQ(mount(run_.c_str(), "/run/srcsel", nullptr, MS_BIND, nullptr), 0);
    for (const std::string &path : {folder_.path(), cgroup_.path()})
      ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  }
  void TearDown() override {
    UpTest::TearDown();
    umount2("/run/srcsel", MNT_DETACH);
  }

  // By a user who may do nothing, outside of the policy's cgroup.
  Command ByNobody(const Words &words) const {
    Words all{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig=TERM"};
    all.insert(all.end(), words.begin(), words.end());
    return CommandOf(std::move(all), keeper_.path());
  }
};

}  // namespace srcsel::lab
