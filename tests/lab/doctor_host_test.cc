// srcsel doctor: faults of the machine, whatever its network: each is made, or shown to doctor
// alone, is found, and is gone after what mends it.

#include <linux/bpf.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "lab/doctor_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DoctorHostTest : public DoctorTest {};

TEST_F(DoctorHostTest, ABpffsThatIsMissing) {
  ASSERT_EQ(umount2(above_.c_str(), MNT_DETACH), 0);
  ExpectMended("bpffs", 1, "note");
}

TEST_F(DoctorHostTest, HooksThatTheKernelRefuses) {
  const auto refused = [&](int call, int type, int error) {
    return client_
        .Run(CommandOf({BPF_REFUSED, std::to_string(call), std::to_string(type),
                        std::to_string(error), SRCSEL, "doctor", "--json"},
                       keeper_.path()))
        .value();
  };
  const Result lacking = refused(BPF_PROG_ATTACH, BPF_CGROUP_INET4_CONNECT, EINVAL);
  if (lacking.status == 77) GTEST_SKIP() << lacking.err;
  EXPECT_EQ(lacking.status, 2);
  const std::vector<Json> found = Findings(Parse(lacking), "hooks");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("message").get<std::string>(),
              AllOf(HasSubstr("attach srcsel_connect4"), HasSubstr("Linux 6.1 or later")));
  EXPECT_THAT(Findings(Parse(refused(BPF_PROG_LOAD, -1, EPERM)), "hooks"), SizeIs(1));
  EXPECT_TRUE(keeper_.WaitUntilChildless().ok());
}

// `setarch --uname-2.6` has uname(2) tell such a kernel, and `prlimit` gives a limit of those days.
TEST_F(DoctorHostTest, AKernelOfOldDays) {
  const auto of_old = [&](const std::string &before) {
    return Parse(client_
                     .Run(CommandOf({"prlimit", "--memlock=65536:65536", "sh", "-c",
                                     absl::StrCat(before, "exec setarch --uname-2.6 ", SRCSEL,
                                                  " doctor --json")},
                                    keeper_.path()))
                     .value());
  };
  const Json report = of_old("");
  EXPECT_THAT(Findings(report, "kernel"), SizeIs(1));
  const std::vector<Json> memlock = Findings(report, "memlock");
  ASSERT_THAT(memlock, SizeIs(1));
  const std::string remedy = memlock[0].at("remedy");
  if (!client_.Run({.argv = {"prlimit", "--memlock=65536:65536", "sh", "-c", remedy}})->ok())
    GTEST_SKIP() << "without CAP_SYS_RESOURCE this limit cannot be raised here";
  const Json mended = of_old(remedy + " && ");
  EXPECT_THAT(Findings(mended, "memlock"), IsEmpty());
}

// In the place of a directory of sysfs, in this test's mount namespace.
TEST_F(DoctorHostTest, WhatSysfsShows) {
  EXPECT_THAT(Find("lockdown"), IsEmpty());
  const bool has_btf = std::filesystem::exists("/sys/kernel/btf/vmlinux");
  EXPECT_THAT(Find("btf"), SizeIs(has_btf ? 0 : 1));
  ASSERT_EQ(mount("none", "/sys/kernel", "tmpfs", 0, nullptr), 0);
  ASSERT_TRUE(std::filesystem::create_directories("/sys/kernel/security"));
  std::ofstream("/sys/kernel/security/lockdown") << "none integrity [confidentiality]\n";
  EXPECT_THAT(Find("btf"), SizeIs(1));
  // It is a cause only of what fails.
  EXPECT_THAT(Find("lockdown"), IsEmpty());
  const Result refused = client_
                             .Run(CommandOf({BPF_REFUSED, std::to_string(BPF_PROG_LOAD), "-1",
                                             std::to_string(EPERM), SRCSEL, "doctor", "--json"},
                                            keeper_.path()))
                             .value();
  if (refused.status != 77) {
    EXPECT_THAT(Findings(Parse(refused), "lockdown"), SizeIs(1));
  }
  ASSERT_EQ(umount2("/sys/kernel", MNT_DETACH), 0);
  EXPECT_THAT(Find("btf"), SizeIs(has_btf ? 0 : 1));
}

TEST_F(DoctorHostTest, WithoutPrivilege) {
  const Result doctor = client_
                            .Run(CommandOf({"setpriv", "--reuid=65534", "--regid=65534",
                                            "--clear-groups", SRCSEL, "doctor", "--json"},
                                           keeper_.path()))
                            .value();
  EXPECT_EQ(doctor.status, 2);
  const std::vector<Json> found = Findings(Parse(doctor), "privilege");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].at("message").get<std::string>(),
              AllOf(HasSubstr("CAP_BPF"), HasSubstr("--via preload")));
}

// Without CAP_SYS_ADMIN, doctor cannot mount a hierarchy for itself alone.
TEST_F(DoctorHostTest, NoCgroup2) {
  const auto doctor_after = [&](const std::string &typed) {
    const Result doctor =
        client_
            .Run(CommandOf({"unshare", "--mount", "sh", "-ec",
                            absl::StrCat(typed, "\nexec setpriv --bounding-set=-sys_admin ", SRCSEL,
                                         " doctor --json")},
                           keeper_.path()))
            .value();
    return Findings(Parse(doctor), "cgroup2");
  };
  EXPECT_THAT(doctor_after(""), IsEmpty());
  // Nothing is mounted; and so much as there is where hierarchies of v1 are.
  for (const std::string unmount :
       {"umount -R /sys/fs/cgroup\n", "mount -t tmpfs none /sys/fs/cgroup\n"}) {
    const std::vector<Json> found = doctor_after(unmount);
    ASSERT_THAT(found, SizeIs(1)) << unmount;
    EXPECT_EQ(found[0].at("severity"), "broken");
    EXPECT_THAT(doctor_after(absl::StrCat(unmount, found[0].at("remedy").get<std::string>())),
                IsEmpty())
        << unmount << found[0];
  }
}

// A hierarchy with a cgroup in it, mounted for this test alone; nothing but its end mends that.
TEST_F(DoctorHostTest, CgroupsOfV1InAKernelOfOldDays) {
  const std::string v1 = folder_.path() + "/v1", group = v1 + "/srcsel-test";
  ASSERT_EQ(mkdir(v1.c_str(), 0755), 0);
  if (mount("none", v1.c_str(), "cgroup", 0, "net_cls") != 0)
    GTEST_SKIP() << "net_cls of cgroup v1 cannot be mounted here: " << strerror(errno);
  const auto found = [&] {
    return Findings(Parse(client_
                              .Run(CommandOf({"setarch", "--uname-2.6", SRCSEL, "doctor", "--json"},
                                             keeper_.path()))
                              .value()),
                    "cgroup-v1");
  };
  EXPECT_THAT(found(), IsEmpty());
  ASSERT_EQ(mkdir(group.c_str(), 0755), 0);
  const std::vector<Json> in_use = found();
  EXPECT_THAT(Find("cgroup-v1"), IsEmpty());
  EXPECT_EQ(Find("hooks"), std::vector<Json>());
  EXPECT_EQ(rmdir(group.c_str()), 0);
  EXPECT_THAT(found(), IsEmpty());
  EXPECT_EQ(umount2(v1.c_str(), MNT_DETACH), 0);
  ASSERT_THAT(in_use, SizeIs(1));
  EXPECT_EQ(in_use[0].at("severity"), "warning");
  EXPECT_THAT(in_use[0].at("message").get<std::string>(), HasSubstr("in use by net_cls"));
  EXPECT_EQ(in_use[0].at("remedy"), "");
}

// Another file in the place of the sysctl, in this test's mount namespace: the host's own is never
// written. It is shown in the first network namespace alone, where this test is.
TEST_F(DoctorHostTest, HooksThatAreInterpreted) {
  constexpr char kSysctl[] = "/proc/sys/net/core/bpf_jit_enable";
  ASSERT_TRUE(folder_.Write("jit", "0\n").ok());
  if (mount((folder_.path() + "/jit").c_str(), kSysctl, nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << kSysctl << " is not to be seen here: " << strerror(errno);
  const auto found = [&] {
    Command doctor =
        CommandOf({SRCSEL, "doctor", "--json", "--netns", client_.netns().Path()}, keeper_.path());
    return Findings(Parse(RunCommand(doctor).value()), "jit");
  };
  const std::vector<Json> interpreted = found();
  ASSERT_THAT(interpreted, SizeIs(1));
  EXPECT_EQ(interpreted[0].at("severity"), "warning");
  const Result typed = RunCommand({.argv = {"sh", "-c", interpreted[0].at("remedy")}}).value();
  EXPECT_TRUE(typed.ok()) << typed.ToString();
  EXPECT_THAT(found(), IsEmpty());
}

}  // namespace
}  // namespace srcsel::lab
