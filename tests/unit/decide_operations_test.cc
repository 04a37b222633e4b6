// What depends on the operation, on what an earlier decision left, and on what cannot be done.

#include <cerrno>

#include <gtest/gtest.h>

#include "fixtures.hh"
#include "lookup/decide.hh"

namespace srcsel {
namespace {

// Mark 100 leads to table 100, whose source is 10.1.0.1.
State TwoSources() {
  State state = StateOf({On(2, "10.0.0.1/24"), On(3, "10.1.0.1/24"), On(3, "10.1.0.2/24")},
                        {RouteTo("0.0.0.0/0", RT_TABLE_MAIN, 2, "10.0.0.1"),
                         RouteTo("0.0.0.0/0", 100, 3, "10.1.0.1")});
  Rule marked = Lookup(1000, 100);
  marked.mark = 100;
  marked.mark_mask = 0xffffffff;
  state.rules.insert(state.rules.begin(), marked);
  return state;
}

srcsel_decision DecisionOf(const std::vector<PolicyRule> &policy, const srcsel_flow &flow) {
  return Decide(ImageOf(TwoSources(), policy), flow);
}

srcsel_flow FlowOf(srcsel_operation operation, std::uint32_t mark = 0, int facts = 0) {
  srcsel_flow flow = FlowTo("203.0.113.1");
  flow.operation = static_cast<__u8>(operation);
  flow.mark = mark;
  flow.facts = static_cast<__u8>(facts);
  return flow;
}

std::string Text(const srcsel_flow &flow, const srcsel_decision &d) {
  std::string text = std::string(ReasonText(d.reason));
  if (d.apply & SRCSEL_APPLY_MARK) absl::StrAppend(&text, " mark ", d.mark, "/", d.mark_mask);
  if (d.apply & SRCSEL_APPLY_SOURCE) absl::StrAppend(&text, " source ", SourceText(flow, d));
  if (d.apply & SRCSEL_APPLY_PORTS)
    absl::StrAppend(&text, " ports ", SourceText(flow, d), ":", d.port_first, "-", d.port_last);
  if (d.error) absl::StrAppend(&text, " error ", d.error);
  return text;
}

std::string Decided(const std::vector<PolicyRule> &policy, const srcsel_flow &flow) {
  return Text(flow, DecisionOf(policy, flow));
}

PolicyRule ToNet(absl::string_view to, PolicyRule rule) {
  rule.to = {Net(to)};
  return rule;
}

PolicyRule Ports(PolicyRule rule) {
  rule.ports = Range16{20000, 29999};
  return rule;
}

PolicyRule OrReject(PolicyRule rule) {
  rule.on_fail = OnFail::kReject;
  return rule;
}

const PolicyRule kMark = Marking("100"), kSource = Sourcing({Address("10.1.0.2")}),
                 kElsewhere = ToNet("198.51.100.0/24", Marking("100/0xff"));

TEST(DecideDatagram, HasTheSourceOfAMarkThatComesTooLate) {
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_DATAGRAM)), "table mark 100/4294967295 source 10.1.0.1");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_DATAGRAM, 100)), "mark mark 100/4294967295");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CONNECT)), "mark mark 100/4294967295");
}

// The next one may go elsewhere, with a mark that netfilter then takes for the application's.
TEST(DecideDatagram, GetsNoMarkThatNetfilterSets) {
  PolicyRule firewall = kMark;
  firewall.marked_later = true;
  EXPECT_EQ(Decided({firewall}, FlowOf(SRCSEL_DATAGRAM)), "table source 10.1.0.1");
  EXPECT_EQ(Decided({firewall}, FlowOf(SRCSEL_DATAGRAM, 100)), "mark mark 100/4294967295")
      << "it has been there since the socket was made";
  EXPECT_EQ(Decided({firewall, Marking("200")}, FlowOf(SRCSEL_DATAGRAM, 200)),
            "table mark 0/4294967295 source 10.1.0.1");
  EXPECT_EQ(Decided({firewall}, FlowOf(SRCSEL_CONNECT)), "mark mark 100/4294967295");
  srcsel_flow sourceless = FlowTo("2001:db8::1");
  sourceless.operation = SRCSEL_DATAGRAM;
  EXPECT_EQ(Decided({firewall}, sourceless), "mark mark 100/4294967295")
      << "without the source that goes with it, only the mark can have the next one leave right";
}

TEST(DecideDatagram, TakesASourceWhateverPortTheSocketHas) {
  EXPECT_EQ(Decided({kSource}, FlowOf(SRCSEL_DATAGRAM, 0, SRCSEL_FACT_PORT)),
            "source source 10.1.0.2");
  EXPECT_EQ(Decided({kSource}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_PORT)), "app-port");
}

TEST(DecideUnmarkable, HasTheSourceThatGoesWithTheMark) {
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_UNMARKABLE)),
            "table source 10.1.0.1");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_UNMARKABLE)), "mark");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_UNMARKABLE)), "no-rule");
  EXPECT_EQ(Decided({kSource}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_UNMARKABLE)),
            "source source 10.1.0.2");
}

TEST(DecideCreation, MarksWhereNoDestinationMatters) {
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CREATE)), "mark mark 100/4294967295");
  EXPECT_EQ(Decided({kElsewhere, kMark}, FlowOf(SRCSEL_CREATE)), "no-rule");
  PolicyRule by_port = kMark;
  by_port.dports = {{443, 443}};
  EXPECT_EQ(Decided({by_port}, FlowOf(SRCSEL_CREATE)), "no-rule");
  EXPECT_EQ(Decided({kSource}, FlowOf(SRCSEL_CREATE)), "no-rule");
  PolicyRule by_uid = kMark;
  by_uid.uids = {{1000, 1000}};
  EXPECT_EQ(Decided({by_uid}, FlowOf(SRCSEL_CREATE)), "mark mark 100/4294967295");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CREATE, 7)), "app-mark");
}

TEST(DecideLeftOvers, TakesBackAMarkOfItsOwn) {
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 0xf64)), "no-rule mark 0/255");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 0xf65)), "no-rule");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_MARK)), "no-rule");
}

TEST(DecideLeftOvers, ReplacesAMarkOfItsOwn) {
  EXPECT_EQ(Decided({kElsewhere, Marking("200/0xff")}, FlowOf(SRCSEL_CONNECT, 100)),
            "mark mark 200/255");
  EXPECT_EQ(
      Decided({kElsewhere, Marking("200/0xff")}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_MARK)),
      "app-mark");
}

TEST(DecideLeftOvers, SeesTheMarkOfTheApplicationBelowItsOwn) {
  PolicyRule unmarked = Marking("7");
  unmarked.marks = {Mark{0, 0xffffffff}};
  EXPECT_EQ(Decided({kElsewhere, unmarked}, FlowOf(SRCSEL_CONNECT, 100)), "mark mark 7/4294967295");
  EXPECT_EQ(Decided({kElsewhere, unmarked}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_MARK)),
            "no-rule");
}

TEST(DecideLeftOvers, TakesBackASourceOfItsOwn) {
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_LEFT)),
            "no-rule source 0.0.0.0");
  EXPECT_EQ(Decided({kSource}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_LEFT)),
            "source source 10.1.0.2");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_LEFT | SRCSEL_FACT_PORT)),
            "no-rule");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_LEFT | SRCSEL_FACT_SOURCE)),
            "no-rule");
}

constexpr int kConnected = SRCSEL_FACT_LEFT | SRCSEL_FACT_PORT;

TEST(DecideConnected, KeepsTheMarkThatItsSourceWasChosenWith) {
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 0xf64, kConnected)), "no-rule");
  EXPECT_EQ(Decided({kElsewhere, Marking("200/0xff")}, FlowOf(SRCSEL_CONNECT, 100, kConnected)),
            "app-port");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CONNECT, 0, kConnected)), "app-port");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CONNECT, 100, kConnected)), "mark mark 100/4294967295");
  EXPECT_EQ(Decided({kSource}, FlowOf(SRCSEL_CONNECT, 0, kConnected)), "app-port");
  EXPECT_EQ(Decided({OrReject(kMark)}, FlowOf(SRCSEL_CONNECT, 0, kConnected)),
            absl::StrCat("app-port error ", EADDRNOTAVAIL));
  EXPECT_EQ(Decided({OrReject(kMark)}, FlowOf(SRCSEL_CONNECT, 100, kConnected)),
            "mark mark 100/4294967295");
}

TEST(DecideConnected, IsNotASocketThatHasOnlyAPortOrOnlyASource) {
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_PORT)),
            "no-rule mark 0/255");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_PORT)),
            "mark mark 100/4294967295");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_CONNECT, 100, SRCSEL_FACT_LEFT)),
            "no-rule mark 0/255 source 0.0.0.0");
}

TEST(DecideConnected, KeepsItsMarkWhateverDatagramItSendsElsewhere) {
  const int facts = SRCSEL_FACT_LEFT | SRCSEL_FACT_SOURCE;
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_DATAGRAM, 100, facts)), "no-rule");
  EXPECT_EQ(Decided({kMark}, FlowOf(SRCSEL_DATAGRAM, 100, facts)), "app-source");
  EXPECT_EQ(Decided({kElsewhere}, FlowOf(SRCSEL_DATAGRAM, 100, SRCSEL_FACT_SOURCE)),
            "no-rule mark 0/255");
}

TEST(DecidePorts, ComeWithAnySourceOrThatOfTheTables) {
  EXPECT_EQ(Decided({Ports(kSource)}, FlowOf(SRCSEL_CONNECT)), "source ports 10.1.0.2:20000-29999");
  EXPECT_EQ(Decided({Ports(PolicyRule())}, FlowOf(SRCSEL_CONNECT)),
            "table ports 10.0.0.1:20000-29999");
  EXPECT_EQ(Decided({Ports(kMark)}, FlowOf(SRCSEL_CONNECT)),
            "table mark 100/4294967295 ports 10.1.0.1:20000-29999");
  EXPECT_EQ(Decided({Ports(kMark)}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_PORT)),
            "mark mark 100/4294967295");
}

TEST(DecideRejection, SaysWhatIsMissing) {
  EXPECT_EQ(Decided({OrReject(Pooling({"10.1.0.9"}))}, FlowOf(SRCSEL_CONNECT)),
            absl::StrCat("no-member error ", EADDRNOTAVAIL));
  PolicyRule no_route = OrReject(Binding("100"));
  State state = TwoSources();
  state.rules[0].action = 7;
  const srcsel_flow flow = FlowOf(SRCSEL_CONNECT);
  EXPECT_EQ(Text(flow, Decide(ImageOf(state, {no_route}), flow)),
            absl::StrCat("no-route error ", ENETUNREACH));
}

TEST(DecideRejection, SparesWhatTheApplicationChose) {
  EXPECT_EQ(Decided({OrReject(kSource)}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_SOURCE)),
            "app-source");
  EXPECT_EQ(Decided({OrReject(kSource)}, FlowOf(SRCSEL_CONNECT, 0, SRCSEL_FACT_PORT)), "app-port");
}

TEST(DecidePool, ByHashIsSteadyAndSpreads) {
  const Image image = ImageOf(TwoSources(), {Pooling({"10.1.0.1", "10.1.0.2"})});
  int first = 0;
  for (int i = 1; i < 255; ++i) {
    srcsel_flow flow = FlowTo(absl::StrCat("203.0.113.", i));
    const srcsel_decision d = Decide(image, flow);
    flow.chance = 12345;
    EXPECT_EQ(SourceText(flow, d), SourceText(flow, Decide(image, flow)));
    first += SourceText(flow, d) == "10.1.0.1";
  }
  EXPECT_GT(first, 90);
  EXPECT_LT(first, 165);
}

TEST(DecidePool, InTurnGoesRound) {
  const Image image = ImageOf(TwoSources(), {Pooling({"10.1.0.1", "10.1.0.2"}, Pick::kRoundRobin)});
  srcsel_flow flow = FlowTo("203.0.113.1");
  std::vector<std::string> sources;
  for (flow.chance = 0; flow.chance < 4; ++flow.chance)
    sources.push_back(SourceText(flow, Decide(image, flow)));
  EXPECT_EQ(sources, (std::vector<std::string>{"10.1.0.1", "10.1.0.2", "10.1.0.1", "10.1.0.2"}));
}

}  // namespace
}  // namespace srcsel
