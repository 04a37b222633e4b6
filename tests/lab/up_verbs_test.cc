// srcsel up, reload, down: what holds while they are typed one after the other.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lab/up_scene.hh"
#include <srcsel/abi.h>

namespace srcsel::lab {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

using UpVerbsTest = UpTest;

TEST_F(UpVerbsTest, APolicyHoldsUntilItIsTakenDown) {
  EXPECT_EQ(Source(), kTelecomSource4);
  const Result up = Up("[[rule]]\nipproto = 'udp'\nlookup = 100\n");
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.out, HasSubstr("p.toml:3: note: rule.lookup: mark 0x64 leads to table 100\n"));
  EXPECT_THAT(up.err, MatchesRegex("srcsel: up on cgroup [^\n]*: 1 rule, 1 of [^\n]*/p.toml\n"));
  EXPECT_EQ(Source(), kUnicomSource4);
  const Result down = Srcsel({"down"});
  EXPECT_TRUE(down.ok());
  EXPECT_EQ(down.err, "srcsel: down\n");
  EXPECT_EQ(Source(), kTelecomSource4);
  ExpectNothingLeft();
  EXPECT_EQ(Srcsel({"down"}).err, "srcsel: nothing was up\n");
}

TEST_F(UpVerbsTest, OtherCgroupsAreLeftAlone) {
  MustUp(kBySource);
  const Result dial = client_.Run(CommandOf({DIAL, "-u", kServer4, "53"}, keeper_.path())).value();
  EXPECT_THAT(dial.out, StartsWith(kTelecomSource4));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
}

TEST_F(UpVerbsTest, ChangesOfTheKernelAreFollowed) {
  MustUp("[[rule]]\nmark = 100\napply = 'bind'\n");
  EXPECT_EQ(Source(), kUnicomSource4);
  ASSERT_TRUE(
      client_.Ip("route change default via 10.1.0.254 dev eth1 table 100 src 10.1.0.2").ok());
  EXPECT_TRUE(Eventually([&] { return Source() == kUnicomOtherSource4; }));
}

TEST_F(UpVerbsTest, ASecondOneIsToldOfTheFirst) {
  MustUp(kBySource);
  const Result second = Up(kByMark);
  EXPECT_EQ(second.status, 1);
  EXPECT_EQ(second.out, "");
  EXPECT_THAT(second.err, AllOf(StartsWith("srcsel: up already on cgroup "),
                                HasSubstr("srcsel reload"), HasSubstr("srcsel down")));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
}

TEST_F(UpVerbsTest, ABadPolicyChangesNothing) {
  const Result up = Up("[[rule]]\nmark = 'blue'\nto = '@wan'\n");
  EXPECT_EQ(up.status, 2);
  EXPECT_THAT(up.out, MatchesRegex("[^\n]*:2: error: rule.mark: [^\n]*\n"
                                   "[^\n]*:3: error: rule.to: [^\n]*\n"));
  ExpectNothingLeft();
  EXPECT_EQ(Up("[[rule]]\nsource = '203.0.113.9'\n").status, 2);
  ExpectNothingLeft();
  const Result dry = Up(kBySource, {"--dry-run"});
  EXPECT_TRUE(dry.ok());
  EXPECT_THAT(dry.out, HasSubstr(": note: rule.source: leaves by its uplink with mark 0x64"));
  EXPECT_EQ(dry.err, "srcsel: nothing was changed: --dry-run\n");
  ExpectNothingLeft();
}

TEST_F(UpVerbsTest, BadWordsAreNamed) {
  const Result trial = Up(kBySource, {"--try", "soon"});
  EXPECT_EQ(trial.status, 2);
  EXPECT_THAT(trial.err, HasSubstr("--try 'soon' is not a time"));
  const Result cgroup = Srcsel({"up", "--policy", PolicyFile(kBySource), "--cgroup", "/no/such"});
  EXPECT_EQ(cgroup.status, 1);
  EXPECT_THAT(cgroup.err,
              MatchesRegex("srcsel: open cgroup /no/such: No such file or directory; cgroup v2 is "
                           "mounted on /[^\n]*: mkdir -p /[^\n]*/no/such makes /no/such\n"));
  const Result dry = Srcsel({"up", "--dry-run", "--cgroup", "/no/such"});
  EXPECT_EQ(dry.err, cgroup.err);
  for (const char *option : {"--cgroup", "--policy", "--netns"}) {
    const Result empty = Srcsel({"up", "--dry-run", option, ""});
    EXPECT_EQ(empty.status, 2);
    EXPECT_THAT(empty.err, HasSubstr("is empty"));
  }
  for (const char *verb : {"reload", "confirm"}) {
    const Result nothing = Srcsel({verb});
    EXPECT_EQ(nothing.status, 1);
    EXPECT_EQ(nothing.err, "srcsel: nothing is up: srcsel up brings it up\n");
  }
}

// The process that is to keep it cannot be spoken to.
TEST_F(UpVerbsTest, WhatCannotBeKeptUpIsTakenDownAgain) {
  const std::string run = absl::StrCat(folder_.path(), "/", std::string(100, 'r'));
  Command command = CommandOf({SRCSEL, "up", "-q", "--cgroup", cgroup_.path()}, keeper_.path());
  command.env = {"SRCSEL_RUN_DIR=" + run, "SRCSEL_BPF_DIR=" + bpf_};
  const Result up = client_.Run(command).value();
  EXPECT_EQ(up.status, 1);
  EXPECT_THAT(up.err, HasSubstr("/control is too long for a socket"));
  EXPECT_TRUE(std::filesystem::is_empty(run));
  ExpectNothingLeft();
}

TEST_F(UpVerbsTest, APolicyIsReplacedWholeOrNotAtAll) {
  MustUp(kBySource);
  PolicyFile("[[rule]]\nmark = 'blue'\nto = '@wan'\n");
  const Result wrong = Srcsel({"reload"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.out, AllOf(HasSubstr(":2: error: "), HasSubstr(":3: error: ")));
  EXPECT_THAT(wrong.err, HasSubstr("what was in force stays"));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  PolicyFile("[[rule]]\nsource = '203.0.113.9'\n");
  EXPECT_EQ(Srcsel({"reload"}).status, 2);
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  PolicyFile(kByMark);
  const Result right = Srcsel({"reload"});
  EXPECT_TRUE(right.ok()) << right.ToString();
  EXPECT_EQ(right.err, "srcsel: 1 rule in force\n");
  EXPECT_EQ(Source(), kUnicomSource4);
}

// The file that is included is read from the policy's folder, wherever the reader is.
TEST_F(UpVerbsTest, WhatAPolicyIncludesIsReplacedWithIt) {
  ASSERT_EQ(mkdir((folder_.path() + "/conf.d").c_str(), 0755), 0);
  const auto include = [&](absl::string_view text) {
    ASSERT_TRUE(folder_.Write("conf.d/10.toml", text).ok());
  };
  MustUp("include = 'conf.d/*.toml'\n[pool.wan]\nmembers = ['10.1.0.2']\n");
  EXPECT_EQ(Source(), kTelecomSource4);
  include("[[rule]]\nsource = 'pool wan'\n");
  EXPECT_EQ(Srcsel({"reload"}).err, "srcsel: 1 rule in force\n");
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  include("[pool.wan]\nmembers = ['10.1.0.1']\n[[rule]]\nsource = 'pool wan'\n");
  const Result wrong = Srcsel({"reload"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_THAT(wrong.out, MatchesRegex("[^\n]*/conf.d/10.toml:1: error: pool.wan: is defined "
                                      "already, [^\n]*/p.toml:2\n"));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  include(kByMark);
  EXPECT_TRUE(Srcsel({"reload", "-q"}).ok());
  EXPECT_EQ(Source(), kUnicomSource4);
}

// Whoever would read it would never answer again.
TEST_F(UpVerbsTest, WhatIsNoFileIsNotIncluded) {
  ASSERT_EQ(mkdir((folder_.path() + "/conf.d").c_str(), 0755), 0);
  MustUp("include = 'conf.d/*.toml'\n[[rule]]\nsource = '10.1.0.2'\n");
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const std::string pipe = folder_.path() + "/conf.d/10.toml";
  ASSERT_EQ(symlink(ptsname(terminal), pipe.c_str()), 0);
  const Result reload = Srcsel({"reload"});
  EXPECT_EQ(reload.status, 2) << reload.ToString();
  EXPECT_EQ(reload.out, absl::StrCat(folder_.path(), "/p.toml:1: error: include: ", pipe,
                                     " is a device, a pipe or a socket: give a file\n"));
  EXPECT_EQ(Source(), kUnicomOtherSource4);
  const Result typed = Srcsel({"reload", "--policy", ptsname(terminal)});
  EXPECT_EQ(typed.status, 2) << typed.ToString();
  EXPECT_THAT(typed.out, HasSubstr("is a device that has nothing to say: give a file"));
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  close(terminal);
}

// What others may have pinned in it by then is not known.
TEST_F(UpVerbsTest, DownLeavesTheDirectoryAndTheBpffs) {
  MustUp(kBySource);
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_TRUE(std::filesystem::is_empty(run_));
  EXPECT_TRUE(IsBpffs(above_));
  EXPECT_FALSE(std::filesystem::exists(bpf_));
}

// What it says to make is what it takes.
TEST_F(UpVerbsTest, ACgroupThatIsNotThereIsMadeAsItSays) {
  const std::string cgroup = cgroup_.path() + "/new";
  const Result missing = Srcsel({"up", "-q", "--cgroup", cgroup});
  EXPECT_EQ(missing.status, 1);
  const std::size_t begin = missing.err.find("mkdir"), end = missing.err.find(" makes ");
  ASSERT_NE(end, std::string::npos) << missing.err;
  ASSERT_TRUE(client_.Do(missing.err.substr(begin, end - begin)).ok());
  EXPECT_TRUE(Srcsel({"up", "-q", "--cgroup", cgroup}).ok());
  EXPECT_TRUE(Srcsel({"down", "-q"}).ok());
  EXPECT_TRUE(std::filesystem::remove(cgroup));
}

// Its own are not for anybody to look for; what its caller has open is the caller's.
TEST_F(UpVerbsTest, ItsOwnSocketsAreNotOlder) {
  const Words words{"bash", "-c",
                    "exec 9<>/dev/udp/192.0.2.80/53; " SRCSEL " up --cgroup $0; " SRCSEL
                    " status --json; " SRCSEL " down -q",
                    cgroup_.path()};
  const Result up = client_.Run(CommandOf(words, cgroup_.path())).value();
  ASSERT_TRUE(up.ok()) << up.ToString();
  EXPECT_THAT(up.err, HasSubstr("; 1 socket older than that left alone"));
  const Json old = Json::parse(up.out).at("old_sockets");
  ASSERT_EQ(old.size(), 1u) << old;
  EXPECT_EQ(old[0].at("comm"), "bash");
  EXPECT_EQ(old[0].at("peer"), "192.0.2.80:53");
}

// Nobody but root changes what is up, and what all may read is in two files.
TEST_F(UpVerbsTest, WhatItLeavesBehindIsRootsToWrite) {
  const mode_t usual = umask(0);
  MustUp(kBySource);
  umask(usual);
  struct stat about;
  const auto mode = [&](const std::string &path) {
    EXPECT_EQ(lstat(path.c_str(), &about), 0) << path;
    EXPECT_EQ(about.st_uid, 0u) << path;
    return about.st_mode & 07777;
  };
  for (const char *pinned : {"", "/programs", "/links"})
    EXPECT_EQ(mode(bpf_ + pinned), 0700u) << pinned;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(bpf_))
    EXPECT_EQ(mode(entry.path()) & 077, 0u) << entry.path();
  EXPECT_EQ(mode(run_), 0755u);
  EXPECT_EQ(mode(run_ + "/image"), 0644u);
  EXPECT_EQ(mode(run_ + "/state"), 0644u);
  EXPECT_EQ(mode(run_ + "/lock"), 0600u);
  EXPECT_EQ(mode(run_ + "/control"), 0600u);
  for (const auto &entry : std::filesystem::directory_iterator(run_))
    EXPECT_EQ(mode(entry.path()) & 022, 0u) << entry.path();
}

TEST_F(UpVerbsTest, WhatAllMayReadIsReadableUnderAnyUmask) {
  const mode_t usual = umask(077);
  MustUp(kBySource);
  umask(usual);
  for (const auto &[name, mode] :
       {std::pair{"", 0755u}, {"/image", 0644u}, {"/state", 0644u}, {"/control", 0600u}}) {
    struct stat about;
    ASSERT_EQ(stat((run_ + name).c_str(), &about), 0) << name;
    EXPECT_EQ(about.st_mode & 07777, mode) << name;
  }
}

// What maps it keeps it: a file is never written into.
TEST_F(UpVerbsTest, TheImageIsThereForAllToRead) {
  MustUp(kBySource);
  const std::string path = run_ + "/image";
  struct stat before, after;
  ASSERT_EQ(stat(path.c_str(), &before), 0);
  EXPECT_EQ(before.st_mode & 07777, 0644u);
  EXPECT_EQ(before.st_size % SRCSEL_PAGE, 0u);
  const Fd old(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  PolicyFile(kByMark);
  ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
  ASSERT_EQ(stat(path.c_str(), &after), 0);
  EXPECT_NE(before.st_ino, after.st_ino);
  srcsel_header header;
  const Fd fresh(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  for (const auto &[fd, generation] : {std::pair(old.get(), 1u), {fresh.get(), 2u}}) {
    ASSERT_EQ(pread(fd, &header, sizeof(header), 0), static_cast<ssize_t>(SRCSEL_PAGE));
    EXPECT_EQ(header.magic, SRCSEL_ABI_MAGIC);
    EXPECT_EQ(header.generation, generation);
  }
}

TEST_F(UpVerbsTest, ADirectoryThatOthersCouldWriteToIsRefused) {
  ASSERT_EQ(mkdir(run_.c_str(), 0755), 0);
  ASSERT_EQ(chmod(run_.c_str(), 0777), 0);
  const Result up = Up(kBySource);
  EXPECT_EQ(up.status, 1);
  EXPECT_THAT(up.err, HasSubstr("chmod 755 " + run_));
  ASSERT_EQ(chmod(run_.c_str(), 0755), 0);
}

// Every connection has the source of the one policy or of the other.
TEST_F(UpVerbsTest, ConnectionsGoOnWhilePoliciesAreReplaced) {
  MustUp(kBySource);
  Process dial = Spawn({DIAL, "-u", "-n", "200000", kServer4, "53"});
  for (int i = 0; i < 5; ++i) {
    PolicyFile(i % 2 == 0 ? kByMark : kBySource);
    ASSERT_TRUE(Srcsel({"reload", "-q"}).ok());
    const std::string source = i % 2 == 0 ? kUnicomSource4 : kUnicomOtherSource4;
    ASSERT_TRUE(dial.WaitForLine(source + " ").ok());
  }
  ASSERT_TRUE(dial.Signal(SIGTERM).ok());
  const Result all = dial.Wait();
  std::istringstream lines(all.out);
  for (std::string line; std::getline(lines, line);)
    ASSERT_THAT(line, ::testing::AnyOf(StartsWith("10.1.0.1 "), StartsWith("10.1.0.2 ")));
}

}  // namespace
}  // namespace srcsel::lab
