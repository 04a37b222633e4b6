// A kernel that has no such hook, or lets nobody near it: played by a supervisor that answers
// bpf(2) in its place, so that srcsel sees what it would see there.

#include <linux/bpf.h>

#include <cerrno>
#include <ostream>

#include "lab/refused_bpf.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

constexpr int kAny = -1;

struct Refusal {
  const char *name;
  int call, type, error;
  Words named;
};

void PrintTo(const Refusal &refusal, std::ostream *out) {
  *out << refusal.name;
}

class RunBpfRefusedTest : public RunTest, public testing::WithParamInterface<Refusal> {
 protected:
  Result RunRefused(int call, int type, int error) const {
    const Command srcsel = Srcsel({"--mark", "100"}, {"echo", "ran"});
    return RunPlain(RefusingBpf(call, type, error, srcsel.argv));
  }
};

const char kRemedy[] = "Linux 6.1 or later with CONFIG_CGROUP_BPF is needed";

INSTANTIATE_TEST_SUITE_P(
    , RunBpfRefusedTest,
    testing::Values(
        Refusal{"NoConnect4ToLoad",
                BPF_PROG_LOAD,
                BPF_CGROUP_INET4_CONNECT,
                EINVAL,
                {"load", "srcsel_connect4", "Invalid argument", kRemedy}},
        Refusal{"NoConnect6ToLoad",
                BPF_PROG_LOAD,
                BPF_CGROUP_INET6_CONNECT,
                EINVAL,
                {"load", "srcsel_connect6", "Invalid argument", kRemedy}},
        // Without what remembers them, an application's own address and mark would be replaced.
        Refusal{"NoBind4ToLoad",
                BPF_PROG_LOAD,
                BPF_CGROUP_INET4_BIND,
                EINVAL,
                {"load", "srcsel_bind4", "Invalid argument", kRemedy}},
        Refusal{"NoBind6ToLoad",
                BPF_PROG_LOAD,
                BPF_CGROUP_INET6_BIND,
                EINVAL,
                {"load", "srcsel_bind6", "Invalid argument", kRemedy}},
        Refusal{"NoSetsockoptToLoad",
                BPF_PROG_LOAD,
                BPF_CGROUP_SETSOCKOPT,
                EINVAL,
                {"load", "srcsel_setsockopt", "Invalid argument", kRemedy}},
        // There is such a hook, and it may not be had: run_lacking_test.cc has the others.
        Refusal{"NoPermissionToLoadSendmsg4",
                BPF_PROG_LOAD,
                BPF_CGROUP_UDP4_SENDMSG,
                EPERM,
                {"load", "not permitted", "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN"}},
        Refusal{"NoConnect4ToAttachTo",
                BPF_PROG_ATTACH,
                BPF_CGROUP_INET4_CONNECT,
                EINVAL,
                {"attach srcsel_connect4", "Invalid argument", kRemedy}},
        Refusal{"NoCgroupToAttachTo",
                BPF_PROG_ATTACH,
                kAny,
                EINVAL,
                {"attach srcsel_", "Invalid argument", kRemedy}},
        Refusal{"NoBpfAtAll", kAny, kAny, ENOSYS, {"load", "not implemented", kRemedy}},
        Refusal{"NoPermissionForAnything",
                kAny,
                kAny,
                EPERM,
                {"load", "not permitted", "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", "seccomp"}},
        Refusal{"NoPermissionToLoad",
                BPF_PROG_LOAD,
                kAny,
                EPERM,
                {"load", "not permitted", "CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", "seccomp"}}),
    [](const auto &refusal) { return refusal.param.name; });

TEST_P(RunBpfRefusedTest, IsNamed) {
  const Result unharmed = RunRefused(BPF_PROG_LOAD, BPF_CGROUP_GETSOCKOPT, EINVAL);
  if (unharmed.status == 77) GTEST_SKIP() << "no supervisor here: " << unharmed.err;
  ASSERT_EQ(unharmed.out, "ran\n") << unharmed.ToString();
  const Refusal &refusal = GetParam();
  const Result refused = RunRefused(refusal.call, refusal.type, refusal.error);
  ExpectRefused(refused, refusal.named);
  RecordProperty("said", refused.err);
}

}  // namespace
}  // namespace srcsel::lab
