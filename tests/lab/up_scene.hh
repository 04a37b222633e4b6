// The fixture of all tests of `srcsel up`: a client with two uplinks, a cgroup whose processes are
// to be put under a policy, and directories of the test's own for what stays up.
//
// Those are in a mount namespace of the test: the bpffs that srcsel mounts goes with it, and with
// that all that is pinned there, whatever becomes of the test.

#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <bpf/bpf.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hooks/image_map.hh"
#include "hooks/pins.hh"
#include "lab/cgroup.hh"
#include "lab/run_custody.hh"
#include "lab/run_eventually.hh"
#include "lab/temp_dir.hh"
#include "lab/two_uplinks.hh"
#include <srcsel/abi.h>

namespace srcsel::lab {

using Words = std::vector<std::string>;
using Json = nlohmann::json;

inline constexpr char kBySource[] = "[[rule]]\nsource = '10.1.0.2'\n";
inline constexpr char kByMark[] = "[[rule]]\nmark = 100\n";

class UpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(mkdir(above_.c_str(), 0755), 0);
  }
  void TearDown() override {
    const Result down = Srcsel({"down", "-q"});
    EXPECT_TRUE(down.ok()) << down.ToString();
    ExpectNothingLeft();
    umount2(above_.c_str(), MNT_DETACH);
  }

  // In the client's namespace; `cgroup` is where its process is.
  Command CommandOf(Words words, const std::string &cgroup) const {
    return {.argv = std::move(words),
            .cgroup = cgroup,
            .env = {"SRCSEL_RUN_DIR=" + run_, "SRCSEL_BPF_DIR=" + bpf_}};
  }
  Result Srcsel(Words words) const {
    words.insert(words.begin(), SRCSEL);
    return client_.Run(CommandOf(std::move(words), keeper_.path())).value();
  }
  std::string PolicyFile(absl::string_view text) const {
    EXPECT_TRUE(folder_.Write("p.toml", text).ok());
    return folder_.path() + "/p.toml";
  }
  Result Up(absl::string_view policy, const Words &options = {}) const {
    Words words{"up", "--policy", PolicyFile(policy), "--cgroup", cgroup_.path()};
    words.insert(words.end(), options.begin(), options.end());
    return Srcsel(std::move(words));
  }
  void MustUp(absl::string_view policy) const {
    const Result up = Up(policy, {"-q"});
    ASSERT_TRUE(up.ok()) << up.ToString() << up.out;
  }

  // A program under the policy.
  Result Run(Words words) const {
    return client_.Run(CommandOf(std::move(words), cgroup_.path())).value();
  }
  Process Spawn(Words words) const {
    return client_.Spawn(CommandOf(std::move(words), cgroup_.path())).value();
  }
  // The source of a UDP socket that connects.
  std::string Source(const Words &options = {}) const {
    Words words{DIAL, "-u"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {kServer4, "53"});
    const Result dial = Run(std::move(words));
    return dial.out.substr(0, dial.out.find(' '));
  }

  Json Status() const {
    const Result status = Srcsel({"status", "--json"});
    const Json json = Json::parse(status.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << status.ToString() << status.out;
    return json;
  }

  void KillFollower() const {
    const auto pid = Status().at("pid").get<pid_t>();
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    ASSERT_TRUE(WaitUntilEnded(pid).ok());
  }

  // As another srcsel would.
  void PutImageOfNextVersion() const {
    std::vector<std::byte> bytes(SRCSEL_PAGE);
    const std::uint32_t words[] = {SRCSEL_ABI_MAGIC, SRCSEL_ABI_VERSION + 1};
    std::memcpy(bytes.data(), words, sizeof(words));
    const Fd image = MakeImageMap(bytes).value();
    const Fd images = Pins::Open(bpf_).value().Map("images");
    const std::uint32_t slot = 0;
    const int inner = image.get();
    ASSERT_EQ(bpf_map_update_elem(images.get(), &slot, &inner, BPF_ANY), 0);
  }

  void ExpectNothingLeft() const {
    EXPECT_FALSE(std::filesystem::exists(bpf_));
    EXPECT_TRUE(!std::filesystem::exists(run_) || std::filesystem::is_empty(run_));
    EXPECT_THAT(ProgramIds(cgroup_.path()).value(), ::testing::IsEmpty());
    EXPECT_TRUE(keeper_.WaitUntilEmpty().ok()) << "a process is left";
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
  TestCgroup cgroup_ = TestCgroup::Create().value();
  TestCgroup keeper_ = TestCgroup::Create().value();  // where srcsel itself is
  TempDir folder_ = TempDir::Make().value();
  const std::string run_ = folder_.path() + "/run", above_ = folder_.path() + "/sys",
                    bpf_ = above_ + "/srcsel";
};

}  // namespace srcsel::lab
