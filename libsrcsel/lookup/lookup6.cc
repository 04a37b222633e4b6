#include "lookup/lookup6.hh"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "absl/container/inlined_vector.h"
#include "lookup/choose_path.hh"
#include "lookup/engine.hh"
#include "lookup/walk.hh"

namespace srcsel {
namespace {

// rt6_need_strict()
bool NeedsItsDevice(const IpAddress &address) {
  return address.IsMulticast() || address.IsLinkLocal() || address.IsLoopback();
}

// Whose packets go to lo (ip6_rt_get_dev_rcu()): anycast only where an address brought it about.
bool IsOfThisHost(const RouteTerms &terms) {
  return terms.type == RTN_LOCAL || (terms.type == RTN_ANYCAST && terms.protocol == RTPROT_KERNEL);
}

using Sources = absl::InlinedVector<IpAddress, 1>;

// The sources that RFC 6724 may give; none if there is none.
Sources SourcesOf(const Snapshot &snapshot, const Query &query, std::uint32_t oif,
                  Answers &answers) {
  const srcsel_key dst = KeyOf(query.dst);
  alignas(8) __u8 wire[16];
  const std::uint32_t found =
      FindSource6(snapshot.image(), snapshot.head(), dst, oif, query.flow.prefer, wire);
  if (found == SRCSEL_SOURCED) return {FromWire(SRCSEL_V6, wire)};
  if (found == SRCSEL_NO_SOURCE) return {};
  for (const Link &link : snapshot.state().links)
    if (link.vrf) answers.DoubtAll(Ambiguity::kVrf);
  answers.Doubt(Ambiguity::kDevices);
  Sources all;
  for (const InterfaceAddress &address : snapshot.state().addresses)
    if (!address.local.is_v4()) all.push_back(address.local);
  return all;
}

class LookupV6 {
 public:
  LookupV6(const Snapshot &snapshot, const Query &query, Answers &answers)
      : snapshot_(snapshot),
        query_(query),
        answers_(answers),
        bound_(!query.src.IsUnspecified()),
        strict_(IsStrict6(query)) {}

  void Run() {
    const srcsel_flow flow = EngineFlow(query_, strict_ ? __u8{0} : __u8{SRCSEL_FACT_LOOSE});
    WalkRules(snapshot_, flow, answers_, [this](const Reached &reached) { Arrive(reached); });
  }

 private:
  void Arrive(const Reached &reached) {
    if (reached.error != 0)
      return answers_.Add({.error = reached.error, .rule = reached.rule, .table = reached.table});
    if (snapshot_.state().routes.terms()[reached.route->detail].not_all_shown)
      answers_.DoubtAll(Ambiguity::kRoutes);
    ChoosePath6(snapshot_, query_, strict_, *reached.route, answers_,
                [&](const RouteTerms &terms, const Path &path) { Take(reached, terms, path); });
  }

  void Take(const Reached &reached, const RouteTerms &terms, const Path &path) {
    Outcome outcome;
    outcome.rule = reached.rule;
    outcome.table = reached.table;
    outcome.type = terms.type;
    outcome.dst = Prefix{query_.dst, reached.route->plen}.Network();
    outcome.metric = terms.metric;
    outcome.nexthop_id = terms.nexthop_id;
    outcome.mtu = path.mtu;
    outcome.protocol = terms.protocol;
    outcome.pref = terms.pref;
    outcome.gateway = path.gateway;
    outcome.oif = IsOfThisHost(terms) ? kLoIndex : path.oif;
    if (path.hidden) answers_.DoubtAll(Ambiguity::kRoutes);
    if (bound_ && !query_.hint) return AddWith(outcome, {});
    if (!path.shared_sources.empty()) {
      answers_.Doubt(Ambiguity::kNexthop);
      for (const SourceTerms &source : path.shared_sources) AddFrom(outcome, source);
      return;
    }
    // Of a nexthop group, the first member's device counts, whichever is taken.
    const Paths &paths = snapshot_.details().paths[reached.route->detail];
    AddFrom(outcome, {path.source, paths.choice >= Choice::kGroup ? paths.all[0].oif : path.oif});
  }

  void AddFrom(const Outcome &outcome, const SourceTerms &from) {
    if (from.source) return AddWith(outcome, *from.source);
    const Sources sources = SourcesOf(snapshot_, query_, from.oif, answers_);
    if (sources.empty()) AddWith(outcome, IpAddress::Any(AF_INET6));
    for (const IpAddress &source : sources) AddWith(outcome, source);
  }

  void AddWith(Outcome outcome, const IpAddress &source) {
    outcome.source = bound_ ? query_.src : source;
    if (bound_ && query_.hint && !source.IsUnspecified()) outcome.hint = source;
    answers_.Add(outcome);
  }

  const Snapshot &snapshot_;
  const Query &query_;
  Answers &answers_;
  const bool bound_, strict_;
};

}  // namespace

bool IsStrict6(const Query &query) {
  return query.strict || query.flow.oif_strict || query.src.IsUnspecified() ||
         NeedsItsDevice(query.dst);
}

void Lookup6(const Snapshot &snapshot, const Query &query, Answers &answers) {
  LookupV6(snapshot, query, answers).Run();
}

void SourceWithoutRoute6(const Snapshot &snapshot, const Query &query, Answers &answers,
                         absl::FunctionRef<void(const IpAddress &)> take) {
  const Sources sources = SourcesOf(snapshot, query, 0, answers);
  if (sources.empty()) answers.Add({.error = EADDRNOTAVAIL});
  for (const IpAddress &source : sources) take(source);
}

}  // namespace srcsel
