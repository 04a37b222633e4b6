// When in a program's life it is, and where on the host its socket came from, changes nothing; and
// what the preload must not touch, it does not.

#include <linux/capability.h>
#include <sys/xattr.h>

#include <fstream>

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class MomentsTest : public PreloadTest {
 protected:
  // A program in Python that can see none of the host's files.
  Words Chrooted(const std::string &program) const {
    const std::string root = here_.path() + "/root";
    std::filesystem::create_directory(root);
    return {"/usr/bin/python3", "-c",
            "import os, socket, sys\nos.chroot(sys.argv[1]); os.chdir('/')\n" + program, root};
  }
};

TEST_F(MomentsTest, FromTheFirstConstructorToTheLastDestructor) {
  Program("libearly.so");
  const auto all = ElementsAre("constructor: 10.1.0.1", "main: 10.1.0.1", "thread: 10.1.0.1",
                               "fork in a thread: 10.1.0.1", "TLS destructor: 10.1.0.1",
                               "allocations: 0", "atexit: 10.1.0.1", "destructor: 10.1.0.1");
  const Words words{"env", "LD_LIBRARY_PATH=" + here_.path(), Program("moments")};
  EXPECT_THAT(Lines(Preloaded(words, {"SRCSEL_SOURCE=10.1.0.1", "SRCSEL_REPLY_SOURCE=1"})), all);
  EXPECT_THAT(Lines(Srcsel({"--source", "10.1.0.1"}, words)), all);
}

TEST_F(MomentsTest, ForDescriptorsOfAllKinds) {
  const Words lines =
      Lines(Preloaded({Program("descriptors"), "10.1.0.1"}, {"SRCSEL_SOURCE=10.1.0.1"}));
  EXPECT_THAT(lines, testing::Not(testing::Contains(HasSubstr("wrong"))));
  EXPECT_THAT(lines, testing::Contains("source 10.0.0.1"));  // bound by the program
}

// There it finds neither the image, which still says what the policy is, nor /proc.
TEST_F(MomentsTest, AfterChroot) {
  ASSERT_TRUE(RouteBySource(lab_).ok());
  const Words words = Chrooted(
      "os.setuid(65534)\n"
      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
      "s.connect(('192.0.2.80', 9))\n"
      "print(s.getsockname()[0])\n");
  EXPECT_THAT(Lines({.argv = words, .env = {"LD_PRELOAD=" + library(), "SRCSEL_MARK=100"}}),
              ElementsAre("10.1.0.1"));
  EXPECT_THAT(Lines({.argv = SrcselWords({"--mark", "100"}, words)}), ElementsAre("10.1.0.1"));
  EXPECT_THAT(Lines({.argv = SrcselWords({"--source", "10.1.0.2"}, words)}),
              ElementsAre("10.1.0.2"));
}

// Its own addresses, which by the rules' order are another's for who has the mark.
TEST_F(MomentsTest, AfterChrootToThisHostItself) {
  ASSERT_TRUE(client_
                  .IpBatch("-4", {"rule add pref 10 fwmark 100 lookup 100",
                                  "rule add pref 20 lookup local", "rule del pref 0"})
                  .ok());
  const Words words = Chrooted(
      "for to in ('192.0.2.80', '10.0.0.1'):\n"
      "  s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
      "  s.connect((to, 9))\n"
      "  print(s.getsockopt(socket.SOL_SOCKET, socket.SO_MARK))\n");
  EXPECT_THAT(Lines({.argv = SrcselWords({"--mark", "100"}, words)}), ElementsAre("100", "0"));
}

// Linked with the library, so that no loader filters it away.
TEST_F(MomentsTest, NotInSecureExecution) {
  const std::string program = here_.path() + "/linked";
  const Result built =
      Run({.argv = {CC, "-D_GNU_SOURCE", PROGRAMS "/source.c", "-o", program, "-Wl,--no-as-needed",
                    library(), "-Wl,-rpath," + here_.path() + "/lib"}});
  ASSERT_TRUE(built.ok()) << built.err;
  const Words words{"env", "SRCSEL_SOURCE=10.1.0.1", program, kServer4};
  EXPECT_THAT(Lines(Plain(words)), ElementsAre("10.1.0.1 0"));
  struct {
    std::uint32_t magic, permitted, inheritable, permitted_high, inheritable_high;
  } const capability = {VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, 1u << CAP_NET_BIND_SERVICE, 0,
                        0, 0};
  ASSERT_EQ(setxattr(program.c_str(), "security.capability", &capability, sizeof(capability), 0), 0)
      << std::strerror(errno);
  EXPECT_THAT(Lines(Plain(words)), ElementsAre("10.0.0.1 0"));
}

}  // namespace
}  // namespace srcsel::lab
