// One flow, one image, one decision: by the library, by the hooks and by the preload.

#include <algorithm>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "agent/resolve.hh"
#include "base/status.hh"
#include "image/compile.hh"
#include "image/key.hh"
#include "lookup/decide.hh"
#include "netlink/read_state.hh"
#include "policy/read_policy.hh"
#include "preload/many_flows.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

// Who opens the flows.
struct Caller {
  std::string name, program;
  Words become;
  std::uint32_t uid, gid;
  const char *by_user, *by_group, *by_name;  // the source by the rule that asks for it
};
void PrintTo(const Caller &caller, std::ostream *out) {
  *out << caller.name;
}

class SameDecisionTest : public PreloadTest, public testing::WithParamInterface<Caller> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RouteBySource(lab_).ok());
    for (const char *family : {"-4", "-6"})
      ASSERT_TRUE(client_
                      .IpBatch(family, {"rule add fwmark 200 table 200",
                                        "route add unreachable default table 200"})
                      .ok());
    const Host &host = lab_.host("server");
    for (const std::string &to : kDestinations) {
      if (!IsServers(to)) continue;
      ASSERT_TRUE(host.Ip(absl::StrCat("addr replace ", to, " dev lo")).ok());
    }
    server_.emplace(host.Spawn({.argv = {"/usr/bin/python3", WAYS "/whoami.py"}}).value());
    ASSERT_EQ(server_->WaitForLine("").value(), "listening");
    ASSERT_TRUE(here_.Write("policy.toml", kManyRules).ok());
    std::filesystem::rename(Program("flows"), here_.path() + "/" + GetParam().program);
  }

  // What became of the flows, and what was said.
  Result Under(const char *via) const {
    Words words{srcsel(), "run", "-q", "--via", via, "--policy", here_.path() + "/policy.toml",
                "--"};
    words.insert(words.end(), GetParam().become.begin(), GetParam().become.end());
    words.push_back(here_.path() + "/" + GetParam().program);
    for (const Flow &flow : Flows())
      words.insert(words.end(), {flow.kind, flow.to, absl::StrCat(flow.port)});
    return Run({.argv = words, .env = {"SRCSEL_DEBUG=1"}});
  }

  bool may_mark() const { return GetParam().uid == 0; }

  // As far as it is to be the same: ports and pools leave a choice, and a mark takes a privilege.
  std::string Outcome(const Flow &flow, const std::string &line) const {
    Words words = absl::StrSplit(line, ' ');
    int port = 0;
    if (words.size() < 2 || !absl::SimpleAtoi(words[1], &port)) return line;
    if (flow.any_member() && IsMember(words[0])) words[0] = "a member";
    words[1] = flow.has_ports() && port >= 40000 && port <= 40099 ? "a port of the range" : "";
    if (words.size() == 3 && !may_mark()) words.pop_back();
    return absl::StrJoin(words, " ");
  }
  static bool IsMember(const std::string &address) {
    return address == kUnicomSource4 || address == kUnicomOtherSource4 ||
           address == kUnicomSource6 || address == kUnicomOtherSource6;
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

  // As the preload sees it.
  srcsel_flow FlowOf(const Image &image, const Flow &asked) const {
    IpAddress to = IpAddress::Parse(asked.to).value();
    if (to.IsV4Mapped()) to = IpAddress::FromBytes(AF_INET, to.bytes().data() + 12);
    srcsel_flow flow{};
    flow.family = static_cast<__u8>(FamilyOf(to));
    flow.dst = KeyOf(to);
    flow.netns = image.header().netns;
    flow.operation = asked.kind == "datagram" ? SRCSEL_DATAGRAM : SRCSEL_CONNECT;
    flow.proto = asked.kind == "tcp" ? IPPROTO_TCP : IPPROTO_UDP;
    flow.dport = static_cast<__u16>(asked.port);
    flow.uid = GetParam().uid;
    flow.gid = GetParam().gid;
    GetParam().program.copy(reinterpret_cast<char *>(flow.comm), sizeof(flow.comm) - 1);
    if (!may_mark()) flow.facts = SRCSEL_FACT_UNMARKABLE;
    flow.unknown = SRCSEL_IN_UID | SRCSEL_IN_DSCP | SRCSEL_IN_LABEL | SRCSEL_IN_OPAQUE;
    if (flow.proto == IPPROTO_UDP) flow.unknown |= SRCSEL_IN_SPORT;
    return flow;
  }

  // What the preload is to say of it; "" if nothing.
  static std::string Said(const Flow &asked, const srcsel_flow &flow,
                          const srcsel_decision &decision) {
    if (decision.apply == 0) return "";
    // A socket that only sends has the port that it has.
    const bool no_port = decision.apply & SRCSEL_APPLY_PORTS && asked.kind == "datagram";
    std::string said =
        absl::StrCat(" port ", asked.port, ": ", no_port ? "no-port" : ReasonText(decision.reason));
    if (decision.apply & SRCSEL_APPLY_MARK) absl::StrAppend(&said, ", mark 0x64");
    if (decision.apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS))
      absl::StrAppend(&said, ", source ",
                      asked.any_member() ? "a member" : InFull(flow.family, decision.source));
    const int error = no_port ? EADDRNOTAVAIL : static_cast<int>(decision.error);
    if (error != 0) absl::StrAppend(&said, ", errno ", error);
    return said;
  }

  // IPv6 as eight groups.
  static std::string InFull(int family, const __u8 *bytes) {
    if (family == SRCSEL_V4) return IpAddress::FromBytes(AF_INET, bytes).ToString();
    std::string text;
    for (int i = 0; i < 16; i += 2)
      absl::StrAppend(&text, i == 0 ? "" : ":", absl::Hex(bytes[i] << 8 | bytes[i + 1]));
    return text;
  }

  std::optional<Process> server_;
};

const Words kToNobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
const Words kToGroup{"setpriv", "--regid=1000", "--clear-groups"};

INSTANTIATE_TEST_SUITE_P(
    , SameDecisionTest,
    testing::Values(Caller{"Root", "flows", {}, 0, 0, "10.0.0.1", "10.0.0.1", "10.0.0.1"},
                    Caller{"OrdinaryUser", "flows", kToNobody, 65534, 65534, "10.1.0.2", "10.0.0.1",
                           "10.0.0.1"},
                    Caller{"CourierOfAnotherGroup", "courier", kToGroup, 0, 1000, "10.0.0.1",
                           "10.1.0.1", "10.1.0.1"}),
    [](const auto &caller) { return caller.param.name; });

TEST_P(SameDecisionTest, ByHooksAndByThePreload) {
  const Result hooks = Under("bpf"), preload = Under("preload");
  ASSERT_TRUE(hooks.ok()) << hooks.ToString();
  ASSERT_TRUE(preload.ok()) << preload.ToString();
  const Words by_hooks = absl::StrSplit(hooks.out, '\n'),
              by_preload = absl::StrSplit(preload.out, '\n');
  const std::vector<Flow> flows = Flows();
  ASSERT_EQ(by_hooks.size(), flows.size() + 1) << hooks.out;
  ASSERT_EQ(by_preload.size(), by_hooks.size()) << preload.out;
  for (std::size_t i = 0; i < flows.size(); ++i)
    EXPECT_EQ(Outcome(flows[i], by_preload[i]), Outcome(flows[i], by_hooks[i])) << flows[i];
  // Something was decided at all.
  const auto outcome_to = [&](const std::string &to) {
    const auto flow = std::ranges::find(flows, to, &Flow::to);
    return by_hooks[static_cast<std::size_t>(flow - flows.begin())];
  };
  EXPECT_THAT(outcome_to("192.0.2.108"), testing::StartsWith(GetParam().by_user));
  EXPECT_THAT(outcome_to("192.0.2.109"), testing::StartsWith(GetParam().by_group));
  EXPECT_THAT(outcome_to("192.0.2.110"), testing::StartsWith(GetParam().by_name));
  EXPECT_EQ(outcome_to("192.0.2.105"), "Cannot assign requested address");
  EXPECT_EQ(outcome_to("192.0.2.106"), "Cannot assign requested address");
  EXPECT_EQ(outcome_to("192.0.2.107"), "Network is unreachable");
  EXPECT_THAT(outcome_to("192.0.2.101"), testing::StartsWith("10.1.0.1 400"));
}

TEST_P(SameDecisionTest, ByTheLibraryAndByThePreload) {
  const absl::StatusOr<Image> image = Compiled();
  ASSERT_TRUE(image.ok()) << image.status();
  const std::string err = Under("preload").err;
  const Words lines = absl::StrSplit(err, '\n', absl::SkipEmpty());
  std::size_t next = 0;
  for (const Flow &asked : Flows()) {
    const srcsel_flow flow = FlowOf(*image, asked);
    const std::string said = Said(asked, flow, Decide(*image, flow));
    if (said.empty()) continue;
    ASSERT_LT(next, lines.size()) << asked << said;
    std::string line = lines[next++];
    if (asked.any_member()) {
      const std::size_t source = line.rfind(' ') + 1;
      if (IsMember(IpAddress::Parse(line.substr(source)).value().ToString()))
        line.replace(source, std::string::npos, "a member");
    }
    EXPECT_THAT(line, testing::EndsWith(said)) << asked;
  }
  EXPECT_EQ(next + 1, lines.size()) << err;  // and what there was in all
}

}  // namespace
}  // namespace srcsel::lab
