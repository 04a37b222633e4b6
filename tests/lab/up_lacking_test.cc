// srcsel up under kernels without the hooks that can be done without, and one that finds other
// hooks than the one before it.

#include <cerrno>

#include "lab/refused_bpf.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class UpLackingTest : public UpTest, public testing::WithParamInterface<Lack> {
 protected:
  // The supervisor, which answers for the process in the background too.
  Process UpLacking() const {
    Words words{SRCSEL, "up", "--policy", PolicyFile(kBySource), "--cgroup", cgroup_.path()};
    return client_
        .Spawn(
            CommandOf(RefusingBpf(BPF_PROG_LOAD, GetParam().type, EINVAL, words), keeper_.path()))
        .value();
  }

  void ExpectLacking(Process &up) const {
    const std::string sentence = std::string("the kernel has no hook ") + GetParam().hook + ": ";
    ASSERT_TRUE(up.WaitForLine("srcsel: warning: " + sentence).ok()) << up.Wait().ToString();
    ASSERT_TRUE(up.WaitForLine("srcsel: up on cgroup").ok());
    const Json status = Status();
    EXPECT_EQ(status.at("trouble"), "");
    ASSERT_THAT(status.at("missing"), SizeIs(1));
    EXPECT_THAT(status.at("missing").at(0).get<std::string>(), StartsWith(sentence));
    EXPECT_THAT(status.at("hooks"), SizeIs(7));
    EXPECT_THAT(Srcsel({"status"}).out, HasSubstr("missing       " + sentence));
    EXPECT_EQ(Source(), kUnicomOtherSource4);
  }

  void ExpectWhole() const {
    const Json status = Status();
    EXPECT_EQ(status.at("trouble"), "");
    EXPECT_THAT(status.at("missing"), IsEmpty());
    EXPECT_THAT(status.at("hooks"), SizeIs(8));
    EXPECT_EQ(Source(), kUnicomOtherSource4);
  }
};

INSTANTIATE_TEST_SUITE_P(, UpLackingTest, testing::ValuesIn(kLacks),
                         [](const auto &lack) { return lack.param.hook; });

TEST_P(UpLackingTest, TakingOverAddsWhatWasMissingAndRemovesWhatIs) {
  if (Run(RefusingBpf(BPF_PROG_LOAD, GetParam().type, EINVAL, {"true"})).status == 77)
    GTEST_SKIP() << "no supervisor here";
  Process first = UpLacking();
  ExpectLacking(first);
  KillFollower();
  MustUp(kBySource);
  ExpectWhole();
  KillFollower();
  Process second = UpLacking();
  ExpectLacking(second);
  // Without its supervisor it could not detach anything.
  KillFollower();
}

}  // namespace
}  // namespace srcsel::lab
