// One flow, one image, one decision: by the library, by the hooks and by the preload.

#include <map>

#include "absl/strings/match.h"
#include "agent/resolve.hh"
#include "base/status.hh"
#include "image/compile.hh"
#include "image/key.hh"
#include "lookup/decide.hh"
#include "netlink/read_state.hh"
#include "policy/read_policy.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

constexpr char kPolicy[] = R"(
[pool.unicom]
members = [ "10.1.0.1", "10.1.0.2", "fd00:1::1", "fd00:1::2" ]
[[rule]]
to = [ "192.0.2.80", "10.0.0.1", "127.0.0.0/8" ]
mark = 100
[[rule]]
to = "192.0.2.81"
source = "10.1.0.2"
mark = 100
[[rule]]
to = [ "192.0.2.82", "192.0.2.83", "192.0.2.84", "2001:db8:80::81", "2001:db8:80::91",
       "2001:db8:80::92" ]
source = "pool unicom"
[[rule]]
to = [ "192.0.2.85", "2001:db8:80::80", "10.0.0.255" ]
mark = 100
apply = "bind"
[[rule]]
to = "192.0.2.86"
source = "fd00:1::1"
[[rule]]
to = [ "192.0.2.87", "2001:db8:80::87" ]
dport = 54
mark = 100
[[rule]]
to = [ "2001:db8:80::82", "fd00::1", "::1", "fd00::/64" ]
mark = 100
[[rule]]
to = "2001:db8:80::83"
source = "fd00:1::2"
mark = 100
[[rule]]
to = "2001:db8:80::84"
source = "10.1.0.2"
[[rule]]
to = "2001:db8:80::85"
source = "dev eth1"
[[rule]]
to = "2001:db8:80::/64"
source = "fd00::1"
)";

const Words kDestinations{
    "192.0.2.80",        "10.0.0.1",
    "127.0.0.9",         "192.0.2.81",
    "192.0.2.82",        "192.0.2.83",
    "192.0.2.84",        "192.0.2.85",
    "192.0.2.86",        "192.0.2.87",
    "::ffff:192.0.2.80", "::ffff:192.0.2.81",
    "::ffff:192.0.2.85", "2001:db8:80::80",
    "2001:db8:80::81",   "2001:db8:80::91",
    "2001:db8:80::92",   "2001:db8:80::82",
    "2001:db8:80::83",   "2001:db8:80::84",
    "2001:db8:80::85",   "2001:db8:80::87",
    "2001:db8:81::1",    "fd00::1",
    "fd00::254",         "::1",
};

class SameDecisionTest : public PreloadTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_TRUE(here_.Write("policy.toml", kPolicy).ok());
  }

  Command Under(const char *via, const Words &env) const {
    Words words{"env"};
    words.insert(words.end(), env.begin(), env.end());
    words.insert(words.end(), {srcsel(), "run", "-q", "--via", via, "--policy",
                               here_.path() + "/policy.toml", "--", Program("source")});
    words.insert(words.end(), kDestinations.begin(), kDestinations.end());
    return {.argv = words};
  }

  absl::StatusOr<Image> Compiled() const {
    return Within(client_.netns().fd(), [&]() -> absl::StatusOr<Image> {
      SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
      SRCSEL_ASSIGN_OR_RETURN(const State state, reader.Read());
      SRCSEL_ASSIGN_OR_RETURN(
          const Resolution resolution,
          Resolve(ReadPolicy(here_.path() + "/policy.toml").policy, state, Advice::kNone));
      return Compile(state, resolution.policy, 1);
    });
  }

  // As the preload sees a UDP socket about to be connected to port 53.
  static srcsel_flow FlowTo(const Image &image, const std::string &destination, int facts) {
    IpAddress to = IpAddress::Parse(destination).value();
    if (to.IsV4Mapped()) to = IpAddress::FromBytes(AF_INET, to.bytes().data() + 12);
    srcsel_flow flow{};
    flow.family = static_cast<__u8>(FamilyOf(to));
    flow.dst = KeyOf(to);
    flow.netns = image.header().netns;
    flow.proto = IPPROTO_UDP;
    flow.dport = 53;
    flow.facts = static_cast<__u8>(facts);
    flow.unknown =
        SRCSEL_IN_UID | SRCSEL_IN_DSCP | SRCSEL_IN_LABEL | SRCSEL_IN_OPAQUE | SRCSEL_IN_SPORT;
    return flow;
  }

  // What the preload is to say of it, without the address; "" if nothing.
  static std::string Said(const srcsel_decision &decision) {
    if (decision.apply == 0) return "";
    std::string said = absl::StrCat(" port 53: ", std::string(ReasonText(decision.reason)));
    if (decision.apply & SRCSEL_APPLY_MARK) absl::StrAppend(&said, ", mark 0x64");
    if (decision.apply & SRCSEL_APPLY_SOURCE) absl::StrAppend(&said, ", source ");
    return said;
  }

  void ExpectSaid(const std::string &err, int facts) const {
    const absl::StatusOr<Image> image = Compiled();
    ASSERT_TRUE(image.ok()) << image.status();
    const Words lines = absl::StrSplit(err, '\n', absl::SkipEmpty());
    std::size_t next = 0;
    for (const std::string &destination : kDestinations) {
      const std::string said = Said(Decide(*image, FlowTo(*image, destination, facts)));
      if (said.empty()) continue;
      ASSERT_LT(next, lines.size()) << destination << said;
      EXPECT_THAT(lines[next++], testing::HasSubstr(said)) << destination;
    }
    EXPECT_EQ(next + 1, lines.size()) << err;  // and what there was in all
  }
};

TEST_F(SameDecisionTest, ByHooksAndByThePreload) {
  const Result hooks = Run(Under("bpf", {})), preload = Run(Under("preload", {}));
  EXPECT_TRUE(hooks.ok()) << hooks.ToString();
  EXPECT_EQ(preload.out, hooks.out) << preload.ToString();
  for (const char *chosen : {"10.1.0.2 100\n", "::ffff:10.1.0.2 100\n", "fd00:1::1 100\n",
                             "fd00:1::2 100\n", "fd00::1 0\n"})
    EXPECT_THAT(hooks.out, testing::HasSubstr(chosen));
}

TEST_F(SameDecisionTest, ByTheLibraryAndByThePreload) {
  ExpectSaid(Run(Under("preload", {"SRCSEL_DEBUG=1"})).err, 0);
}

TEST_F(SameDecisionTest, ByTheLibraryAndByThePreloadOfAnOrdinaryUser) {
  Command command = Under("preload", {"SRCSEL_DEBUG=1"});
  command.argv = AsNobody(command.argv);
  ExpectSaid(Run(command).err, SRCSEL_FACT_UNMARKABLE);
}

}  // namespace
}  // namespace srcsel::lab
