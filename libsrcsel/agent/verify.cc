#include "agent/verify.hh"

#include <netinet/in.h>

#include <optional>
#include <utility>

#include "agent/draw_flows.hh"
#include "agent/route_agreement.hh"
#include "agent/udp_connect.hh"
#include "base/status.hh"
#include "netlink/ask_route.hh"

namespace srcsel {
namespace {

bool SameSource(const Outcome &ours, const Outcome &kernel) {
  return ours.error == kernel.error && (ours.error != 0 || ours.source == kernel.source);
}

struct Drawn {
  Flow flow;
  bool connect = false;
};

class Round {
 public:
  Round(const Snapshot &snapshot, RouteAsker &asker, Verification &result)
      : snapshot_(snapshot), asker_(asker), result_(result) {}

  // How the flow disagrees; nothing if it does not, which is then counted.
  absl::StatusOr<std::optional<Disagreement>> Check(const Drawn &drawn) {
    const Flow &flow = drawn.flow;
    SRCSEL_ASSIGN_OR_RETURN(const Outcome route, asker_.Ask(flow));
    Selection ours = Lookup(snapshot_, flow);
    if (!Agrees(ours, route, SameRoute)) return Disagreement{flow, false, std::move(ours), route};
    bool exact = ours.exact();
    if (drawn.connect) {
      SRCSEL_ASSIGN_OR_RETURN(const std::optional<Outcome> connected, ConnectUdp(flow));
      if (connected) {
        Flow bound = flow;
        bound.oif_strict = true;
        ours = Select(snapshot_, bound);
        if (!Agrees(ours, *connected, SameSource))
          return Disagreement{flow, true, std::move(ours), *connected};
        exact &= ours.exact();
        ++result_.connected;
      }
    }
    ++(exact ? result_.agree : result_.ambiguous);
    return std::nullopt;
  }

 private:
  const Snapshot &snapshot_;
  RouteAsker &asker_;
  Verification &result_;
};

std::vector<Drawn> DrawFlows(const State &state, const VerifyOptions &options) {
  FlowDrawer drawer(state, options.seed);
  std::vector<Drawn> drawn(options.flows);
  for (std::uint64_t i = 0; i < options.flows; ++i) {
    drawn[i].flow = drawer.Next();
    drawn[i].connect = options.connect && i % kConnectEach == 0;
    if (!drawn[i].connect) continue;
    drawn[i].flow.proto = IPPROTO_UDP;
    drawn[i].flow.sport = 0;
    if (drawn[i].flow.dport == 0) drawn[i].flow.dport = 53;
  }
  return drawn;
}

}  // namespace

absl::StatusOr<Verification> Verify(const VerifyOptions &options, ReadSnapshot read,
                                    Progress progress) {
  Verification result;
  SRCSEL_ASSIGN_OR_RETURN(RouteAsker asker, RouteAsker::Open());
  std::vector<Drawn> left;
  std::vector<Disagreement> disagreements;
  for (int round = 0; round < kRounds && (round == 0 || !left.empty()); ++round) {
    SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<const Snapshot> snapshot, read());
    const bool first = round == 0;
    if (first) left = DrawFlows(snapshot->state(), options);
    Round checks(*snapshot, asker, result);
    std::vector<Drawn> again;
    disagreements.clear();
    for (std::uint64_t done = 0; const Drawn &drawn : left) {
      SRCSEL_ASSIGN_OR_RETURN(std::optional<Disagreement> disagreement, checks.Check(drawn));
      if (first) progress(++done);
      if (!disagreement) continue;
      again.push_back(drawn);
      if (disagreements.size() < kExamples) disagreements.push_back(*std::move(disagreement));
    }
    left = std::move(again);
  }
  result.disagree = left.size();
  result.flows = result.agree + result.ambiguous + result.disagree;
  result.examples = std::move(disagreements);
  return result;
}

}  // namespace srcsel
