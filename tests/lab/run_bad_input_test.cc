// What cannot be set up is refused in one line that names the thing and what would mend it, with
// status 125, and nothing is attached.

#include <ostream>

#include "absl/strings/str_cat.h"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using RunBadInputTest = RunTest;

struct Mistake {
  const char *name;
  Words options, named;
};

void PrintTo(const Mistake &mistake, std::ostream *out) {
  *out << mistake.name;
}

class RunMistakeTest : public RunBadInputTest, public testing::WithParamInterface<Mistake> {};

INSTANTIATE_TEST_SUITE_P(
    Word, RunMistakeTest,
    testing::Values(
        Mistake{"UnknownOption", {"--bogus"}, {"--bogus", "--help"}},
        Mistake{"UnknownShortOption", {"-z"}, {"-z", "--help"}},
        Mistake{"OptionWithoutItsValue", {"--mark"}, {"'--'", "not a mark"}},
        Mistake{"NothingToDo", {}, {"nothing to do", "--mark", "--source"}},
        Mistake{"MarkIsNoNumber", {"--mark", "blue"}, {"'blue'", "not a mark", "0x64/0xff"}},
        Mistake{"MarkTooLarge", {"--mark", "0x100000000"}, {"'0x100000000'", "0xffffffff"}},
        Mistake{"MarkWithAnEmptyMask", {"--mark", "1/"}, {"'1/'", "0x64/0xff"}},
        Mistake{"MarkOutsideItsMask", {"--mark", "0x164/0xff"}, {"0x164/0xff", "outside", "0x100"}},
        Mistake{"MarkZero", {"--mark", "0"}, {"mark 0", "choose another"}},
        Mistake{"ApplyUnknown", {"--mark", "1", "--apply", "magic"}, {"--apply", "magic", "bind"}},
        Mistake{"BindWithoutAMark", {"--apply", "bind"}, {"--mark"}},
        Mistake{"BindWithASource",
                {"--mark", "1", "--apply", "bind", "--source", "10.1.0.1"},
                {"--apply bind", "--source"}}),
    [](const auto &mistake) { return mistake.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Source, RunMistakeTest,
    testing::Values(
        Mistake{"NoAddress", {"--source", "10.1.0.300"}, {"'10.1.0.300'", "dev INTERFACE"}},
        Mistake{"NoAddressAtAll", {"--source", ""}, {"source ''", "dev INTERFACE"}},
        Mistake{"TwoOfAFamily",
                {"--source", "10.1.0.1,10.1.0.2"},
                {"10.1.0.1", "10.1.0.2", "one address a family"}},
        Mistake{"AnAddressAndADeviceOfOneFamily",
                {"--source", "10.1.0.1", "--source", "dev eth0"},
                {"10.1.0.1", "dev eth0"}},
        Mistake{"TwoDevices",
                {"--source", "dev eth0", "--source", "dev eth1"},
                {"dev eth0", "dev eth1"}},
        Mistake{"NotOfThisHost",
                {"--source", "203.0.113.99"},
                {"203.0.113.99", "Cannot assign", "10.0.0.1, 10.1.0.1, 10.1.0.2"}},
        Mistake{"NotOfThisHost6",
                {"--source", "2001:db8::99"},
                {"2001:db8::99", "Cannot assign", "fd00::1"}},
        Mistake{"Unspecified", {"--source", "0.0.0.0"}, {"0.0.0.0"}},
        Mistake{"Multicast", {"--source", "224.0.0.1"}, {"224.0.0.1"}},
        Mistake{"Broadcast", {"--source", "10.1.0.255"}, {"10.1.0.255", "10.1.0.1"}},
        Mistake{"Loopback", {"--source", "127.0.0.1"}, {"127.0.0.1", "loopback", "has 10.0.0.1"}},
        Mistake{"LoopbackElsewhere", {"--source", "127.9.9.9"}, {"127.9.9.9", "loopback"}},
        Mistake{"Loopback6", {"--source", "::1"}, {"::1", "loopback", "fd00::1"}},
        Mistake{"LinkLocal6", {"--source", "fe80::1"}, {"fe80::1", "link-local", "fd00::1"}},
        Mistake{"Ipv4InIpv6", {"--source", "::ffff:10.1.0.1"}, {"::ffff:10.1.0.1", " 10.1.0.1"}},
        Mistake{"NoSuchInterface", {"--source", "dev wan7"}, {"dev wan7", "lo, eth0, eth1"}},
        Mistake{"InterfaceWithoutAddress", {"--source", "dev lo"}, {"dev lo", "ip address add"}}),
    [](const auto &mistake) { return mistake.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Netns, RunMistakeTest,
    testing::Values(Mistake{"NoSuchName",
                            {"--netns", "no-such-name", "--mark", "1"},
                            {"/run/netns/no-such-name", "No such file", "ip netns"}},
                    Mistake{"NoSuchPath",
                            {"--netns", "/no/such/path", "--mark", "1"},
                            {"/no/such/path", "No such file"}},
                    Mistake{"NoNamespace",
                            {"--netns", "/etc/hostname", "--mark", "1"},
                            {"/etc/hostname is not a network namespace"}},
                    Mistake{"AnotherKindOfNamespace",
                            {"--netns", "/proc/self/ns/mnt", "--mark", "1"},
                            {"/proc/self/ns/mnt", "not a network namespace"}},
                    Mistake{"EmptyName", {"--netns", "", "--mark", "1"}, {"--netns", "NAME|PATH"}}),
    [](const auto &mistake) { return mistake.param.name; });

TEST_P(RunMistakeTest, IsNamed) {
  ExpectRefused(Run(GetParam().options, {"true"}), GetParam().named);
}

TEST_F(RunBadInputTest, OnlyTheUnknownWordIsBlamed) {
  const Result run = Run({"--bogus"}, {"true"});
  EXPECT_THAT(run.err, Not(HasSubstr("-- --bogus")));
}

TEST_F(RunBadInputTest, ALineThatEndsTooEarly) {
  ExpectRefused(RunPlain({SRCSEL, "run", "--mark"}), {"--mark", "V[/M]"});
  ExpectRefused(RunPlain({SRCSEL, "run", "--source"}), {"--source", "ADDR"});
}

TEST_F(RunBadInputTest, NoCommand) {
  ExpectRefused(RunPlain({SRCSEL, "run", "--mark", "100"}), {"no command", "CMD"});
  ExpectRefused(RunPlain({SRCSEL, "run", "--mark", "100", "--"}), {"no command", "CMD"});
}

TEST_F(RunBadInputTest, AFamilyTheHostDoesNotHave) {
  const Host bare = Host::Create("bare").value();
  ASSERT_TRUE(bare.Ip("link set lo up").ok());
  ExpectRefused(bare.Run(Srcsel({"--source", "fd00::1"}, {"true"})).value(),
                {"fd00::1", "no address of that family"});
}

TEST_F(RunBadInputTest, AnAnyIpAddressIsNoMistake) {
  ASSERT_TRUE(client_.Ip("route add local 10.50.0.0/16 dev lo").ok());
  const Result dial = Run({"--source", "10.50.1.2"}, {DIAL, "-u", kServer4, "53"});
  EXPECT_THAT(dial.out, StartsWith("10.50.1.2 ")) << dial.ToString();
}

}  // namespace
}  // namespace srcsel::lab
