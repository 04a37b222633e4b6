// srcsel up where the firewall marks what processes of a cgroup send.

#include <filesystem>
#include <ostream>

#include "absl/strings/strip.h"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

enum class CgroupTool { kNft, kIptables, kIptablesLegacy };
void PrintTo(CgroupTool tool, std::ostream *out) {
  *out << (tool == CgroupTool::kNft        ? "nft"
           : tool == CgroupTool::kIptables ? "iptables-nft"
                                           : "iptables-legacy");
}

class UpCgroupTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    for (const std::string &name : {inside_, below_, beside_})
      ASSERT_TRUE(std::filesystem::create_directory(name));
  }

  // From the root of the hierarchy, as the kernel names it.
  std::string PathOf(const std::string &cgroup) const {
    const Result cat = client_.Run(CommandOf({"cat", "/proc/self/cgroup"}, cgroup)).value();
    const std::size_t line = cat.out.find("0::");
    return cat.out.substr(line + 3, cat.out.find('\n', line) - line - 3);
  }
  std::size_t LevelOf(const std::string &cgroup) const {
    const std::string path = PathOf(cgroup);
    return static_cast<std::size_t>(std::ranges::count(path, '/'));
  }
  // nft wants a path below /sys/fs/cgroup, whatever is mounted there.
  absl::Status MarkByNft(const std::string &op, std::size_t level) const {
    absl::string_view word = inside_;
    if (!absl::ConsumePrefix(&word, "/sys/fs/cgroup/"))
      return absl::NotFoundError("cgroup v2 is not below /sys/fs/cgroup");
    return client_.Nft(
        absl::StrCat("table inet cg {\n chain o {\n  type route hook output priority mangle;\n",
                     "  socket cgroupv2 level ", level, " ", op, " \"", word,
                     "\" meta mark set 100\n }\n set s { type ipv4_addr; }\n}\n"));
  }
  absl::Status MarkBy(CgroupTool tool) const {
    if (tool == CgroupTool::kNft) return MarkByNft("==", LevelOf(inside_));
    return client_
        .Do(absl::StrCat("iptables", tool == CgroupTool::kIptables ? "-nft" : "-legacy",
                         " -t mangle -A OUTPUT -m cgroup --path ", PathOf(inside_),
                         " -j MARK --set-mark 100"))
        .status();
  }
  Result UpByMarks(Words options = {}) const {
    options.insert(options.begin(), {"up", "--cgroup", cgroup_.path()});
    return Srcsel(std::move(options));
  }
  // Of a UDP socket that connects, of a process there.
  std::string SourceIn(const std::string &cgroup) const {
    const Result dial = client_.Run(CommandOf({DIAL, "-u", kServer4, "53"}, cgroup)).value();
    return dial.out.substr(0, dial.out.find(' '));
  }
  void MakeAnew() const {
    ASSERT_TRUE(std::filesystem::remove(below_) && std::filesystem::remove(inside_));
    ASSERT_TRUE(std::filesystem::create_directory(inside_));
  }

  const std::string inside_ = cgroup_.path() + "/in", below_ = inside_ + "/below",
                    beside_ = cgroup_.path() + "/in-beside";
};

class UpCgroupToolTest : public UpCgroupTest, public testing::WithParamInterface<CgroupTool> {};
INSTANTIATE_TEST_SUITE_P(, UpCgroupToolTest,
                         testing::Values(CgroupTool::kNft, CgroupTool::kIptables,
                                         CgroupTool::kIptablesLegacy));

TEST_P(UpCgroupToolTest, ItsProcessesAndThoseBelowGetTheSource) {
  ASSERT_EQ(MarkBy(GetParam()), absl::OkStatus());
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr(kUnicomSource4), Not(HasSubstr("not known"))));
  EXPECT_EQ(SourceIn(inside_), kUnicomSource4);
  EXPECT_EQ(SourceIn(below_), kUnicomSource4);
  EXPECT_EQ(SourceIn(beside_), kTelecomSource4);
  EXPECT_EQ(SourceIn(cgroup_.path()), kTelecomSource4);
}

// Nft then prints its id. The kernel matches nothing any more, also not what is made in its place.
TEST_F(UpCgroupTest, OneThatWasRemovedMatchesNothing) {
  ASSERT_EQ(MarkByNft("==", LevelOf(inside_)), absl::OkStatus());
  MakeAnew();
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, Not(HasSubstr("not known")));
  EXPECT_EQ(SourceIn(cgroup_.path()), kTelecomSource4);
  EXPECT_EQ(SourceIn(inside_), kTelecomSource4);
}

TEST_F(UpCgroupTest, NorDoesOneThatIsMadeAnewLater) {
  ASSERT_EQ(MarkByNft("==", LevelOf(inside_)), absl::OkStatus());
  ASSERT_TRUE(UpByMarks({"-q"}).ok());
  ASSERT_EQ(SourceIn(inside_), kUnicomSource4);
  MakeAnew();
  EXPECT_EQ(SourceIn(inside_), kTelecomSource4);
  const Json before = Status().at("generation");
  ASSERT_TRUE(client_.Ip("rule add fwmark 7 table 100").ok());
  ASSERT_TRUE(Eventually([&] { return Status().at("generation") != before; }));
  EXPECT_EQ(SourceIn(inside_), kTelecomSource4);
}

TEST_F(UpCgroupTest, ALevelThatIsNotItsOwnIsNotUnderstood) {
  ASSERT_EQ(MarkByNft("==", LevelOf(inside_) + 1), absl::OkStatus());
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr("not known"), HasSubstr("inet cg o handle")));
  EXPECT_EQ(SourceIn(inside_), kTelecomSource4);
}

// What is in a cgroup above that level matches neither way.
TEST_F(UpCgroupTest, AllOthersAreNotUnderstood) {
  ASSERT_EQ(MarkByNft("!=", LevelOf(inside_)), absl::OkStatus());
  const Result up = UpByMarks();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, AllOf(HasSubstr("not known"), HasSubstr("inet cg o handle")));
  for (const std::string &cgroup : {inside_, beside_, cgroup_.path()})
    EXPECT_EQ(SourceIn(cgroup), kTelecomSource4);
}

}  // namespace
}  // namespace srcsel::lab
