// Programs that try all that can go wrong see the same with the preload and without: results,
// errno, memory, descriptors, options of sockets.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

struct Way {
  const char *name;
  Words env;
};

const Words kPrograms{"connect",     "send",    "receive", "receive_fortified", "syscalls",
                      "descriptors", "inherit", "few",     "readonly",          "cancel"};
const Words kMuslPrograms{"connect", "send", "receive",  "syscalls", "descriptors",
                          "inherit", "few",  "readonly", "cancel"};

class TransparentTest : public PreloadTest, public testing::WithParamInterface<Way> {
 protected:
  // By an ordinary user, what it writes to stderr too.
  Words Seen(const Command &command) const {
    const Result result = Run(command);
    EXPECT_TRUE(result.ok()) << command.ToString() << ": " << result.ToString() << result.out;
    EXPECT_EQ(result.err, "") << command.ToString();
    return absl::StrSplit(result.out, '\n', absl::SkipEmpty());
  }
  void ExpectNoDifference(const std::string &name) const {
    SCOPED_TRACE(name);
    const Words without = Seen(Plain({Program(name)}));
    EXPECT_EQ(Seen(Preloaded({Program(name)}, GetParam().env)), without);
  }
};

INSTANTIATE_TEST_SUITE_P(
    , TransparentTest,
    testing::Values(Way{"NothingToDo", {}}, Way{"Source", {"SRCSEL_SOURCE=10.0.0.1,fd00::1"}},
                    Way{"Mark", {"SRCSEL_MARK=7"}},
                    Way{"NoSuchImage", {"SRCSEL_IMAGE=/nowhere/image"}},
                    Way{"ReplySource", {"SRCSEL_SOURCE=10.0.0.1", "SRCSEL_REPLY_SOURCE=1"}}),
    [](const auto &way) { return way.param.name; });

TEST_P(TransparentTest, ProgramsSeeNoDifference) {
  for (const std::string &name : kPrograms) {
    ExpectNoDifference(name);
    EXPECT_THAT(Seen(Plain({Program(name)})),
                testing::Not(testing::Contains(testing::HasSubstr("errno changed"))));
  }
}

TEST_P(TransparentTest, ProgramsOfMuslSeeNoDifference) {
  for (const std::string &name : kMuslPrograms) ExpectNoDifference("musl_" + name);
}

// Which watches the library too: what it reads and writes of the program's, and of its own.
TEST_P(TransparentTest, WatchedByAddressSanitizer) {
  for (const std::string name : {"connect", "send", "receive"})
    EXPECT_EQ(Seen(Preloaded({Program(name + "_asan")}, SanitizedEnvironment(GetParam().env),
                             SanitizedLibrary("asan"))),
              Seen(Plain({Program(name)})))
        << name;
}

// Also those that only the privileged may have, by one who may.
class UntouchedTest : public TransparentTest {};

INSTANTIATE_TEST_SUITE_P(, UntouchedTest,
                         testing::Values(Way{"Source", {"SRCSEL_SOURCE=10.1.0.1,fd00:1::1"}},
                                         Way{"Mark", {"SRCSEL_MARK=100"}},
                                         Way{"Device", {"BIND_INTERFACE=eth1"}}),
                         [](const auto &way) { return way.param.name; });

TEST_P(UntouchedTest, SocketsThatAreNoneOfItsBusinessKeepAllTheirOptions) {
  for (const char *name : {"options", "musl_options"}) {
    ExpectNoDifference(name);
    Words env = GetParam().env;
    env.push_back("LD_PRELOAD=" + library());
    EXPECT_EQ(Seen({.argv = {Program(name)}, .env = env}), Seen({.argv = {Program(name)}}));
  }
}

}  // namespace
}  // namespace srcsel::lab
