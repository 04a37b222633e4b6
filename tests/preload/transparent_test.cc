// Programs that try all that can go wrong see the same with the preload and without: results,
// errno, memory, descriptors.

#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

struct Way {
  const char *name;
  Words env;
};

class TransparentTest : public PreloadTest, public testing::WithParamInterface<Way> {};

INSTANTIATE_TEST_SUITE_P(
    , TransparentTest,
    testing::Values(Way{"NothingToDo", {}}, Way{"Source", {"SRCSEL_SOURCE=10.0.0.1,fd00::1"}},
                    Way{"Mark", {"SRCSEL_MARK=7"}},
                    Way{"NoSuchImage", {"SRCSEL_IMAGE=/nowhere/image"}},
                    Way{"ReplySource", {"SRCSEL_SOURCE=10.0.0.1", "SRCSEL_REPLY_SOURCE=1"}}),
    [](const auto &way) { return way.param.name; });

TEST_P(TransparentTest, ProgramsSeeNoDifference) {
  for (const char *name : {"connect", "send", "receive", "syscalls", "descriptors"}) {
    SCOPED_TRACE(name);
    const Words without = Lines(Plain({Program(name)}));
    EXPECT_THAT(without, testing::Not(testing::Contains(testing::HasSubstr("errno changed"))));
    EXPECT_EQ(Lines(Preloaded({Program(name)}, GetParam().env)), without);
  }
}

class MuslTest : public PreloadTest {};

TEST_F(MuslTest, ProgramsSeeNoDifferenceEither) {
  for (const char *name : {"connect", "receive", "descriptors"}) {
    SCOPED_TRACE(name);
    const std::string program = Program(absl::StrCat("musl_", name));
    EXPECT_EQ(Lines(Preloaded({program}, {"SRCSEL_SOURCE=10.0.0.1,fd00::1"})),
              Lines(Plain({program})));
  }
  EXPECT_THAT(Lines(Preloaded({Program("musl_source"), kServer4}, {"SRCSEL_SOURCE=10.1.0.1"})),
              testing::ElementsAre("10.1.0.1 0"));
}

}  // namespace
}  // namespace srcsel::lab
