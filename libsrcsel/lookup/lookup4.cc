#include "lookup/lookup4.hh"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "image/source4.hh"
#include "lookup/choose_path.hh"
#include "lookup/engine.hh"
#include "lookup/walk.hh"

namespace srcsel {
namespace {

bool IsOnLinkMulticast(const IpAddress &address) {
  const IpAddress::Bytes &b = address.bytes();
  return b[0] == 224 && b[1] == 0 && b[2] == 0;
}

// The first route to the address in table number `table`, or null.
const srcsel_route *RouteTo(const Snapshot &snapshot, std::uint32_t table,
                            const IpAddress &address) {
  if (table == SRCSEL_NONE) return nullptr;
  srcsel_flow flow{};
  flow.dst = KeyOf(address);
  return srcsel_route_at(snapshot.image(), &snapshot.head(),
                         SearchTable(snapshot.image(), snapshot.head(), table, flow));
}

const srcsel_route *LocalRoute(const Snapshot &snapshot, const IpAddress &address) {
  const srcsel_route *route = RouteTo(snapshot, snapshot.head().local[SRCSEL_V4], address);
  return route && route->type == RTN_LOCAL ? route : nullptr;
}

class LookupV4 {
 public:
  LookupV4(const Snapshot &snapshot, const Query &query, Answers &answers)
      : snapshot_(snapshot), query_(query), answers_(answers) {}

  void Run() {
    const bool bound = !query_.src.IsUnspecified();
    const std::uint32_t oif = query_.flow.oif;
    const bool multicast = query_.dst.IsMulticast(), broadcast = query_.dst.IsBroadcast();
    if (bound) {
      if (query_.src.IsMulticast() || query_.src.IsBroadcast()) return Fail(EINVAL);
      if (oif == 0 && (multicast || broadcast)) return LeaveByOwner();
      const Own own = query_.flow.transparent ? Own::kYes : OwnSource4(snapshot_, query_.src);
      if (own == Own::kPerhaps) answers_.Doubt(Ambiguity::kMerged);
      if (own != Own::kYes) Fail(ENETUNREACH);
      if (own == Own::kNo) return;
    }
    if (oif != 0) {
      const Link *link = snapshot_.FindLink(oif);
      if (!link) return Fail(ENODEV);
      if (!(link->flags & IFF_UP)) return Fail(ENETUNREACH);
      if (IsOnLinkMulticast(query_.dst) || broadcast || query_.flow.proto == IPPROTO_IGMP)
        return Leave(oif, RT_SCOPE_LINK);
      if (!bound && multicast) return AsIfBound(RT_SCOPE_UNIVERSE);
      if (!bound && query_.dst.IsUnspecified()) return AsIfBound(RT_SCOPE_HOST);
    }
    Route();
  }

 private:
  void Fail(int error, const Reached &reached = {}) {
    answers_.Add({.error = error, .rule = reached.rule, .table = reached.table});
  }

  // Without a lookup, to multicast and broadcast.
  void LeaveByOwner() {
    std::uint32_t owner = snapshot_.OwnerOf(query_.src);
    if (const srcsel_route *route = LocalRoute(snapshot_, query_.src); route && owner == 0)
      owner = route->oif;
    if (owner == 0) return Fail(ENETUNREACH);
    Leave(owner, RT_SCOPE_LINK);
  }

  // Some destinations are what they are, whatever the route says.
  std::uint8_t TypeOf(std::uint8_t type) const {
    if (query_.dst.IsBroadcast()) return RTN_BROADCAST;
    return query_.dst.IsMulticast() ? std::uint8_t{RTN_MULTICAST} : type;
  }

  // Straight out of a device; `scope` is for the source if there is none yet.
  void Leave(std::uint32_t oif, std::uint8_t scope) {
    Outcome outcome;
    outcome.oif = oif;
    outcome.type = TypeOf(RTN_UNICAST);
    Source4 chosen = {query_.src};
    if (query_.src.IsUnspecified())
      chosen = SelectSource4(snapshot_.state(), oif, std::nullopt, scope);
    AddFrom(outcome, chosen.address, chosen.others, Ambiguity::kDevices);
  }

  // The source is found first, and not checked.
  void AsIfBound(std::uint8_t scope) {
    Source4 chosen = SelectSource4(snapshot_.state(), query_.flow.oif, std::nullopt, scope);
    if (!chosen.others.empty()) answers_.Doubt(Ambiguity::kDevices);
    chosen.others.push_back(chosen.address);
    for (const IpAddress &source : chosen.others) {
      Query query = query_;
      query.src = source;
      LookupV4(snapshot_, query, answers_).Route();
    }
  }

  void Route() {
    if (query_.dst.IsUnspecified())
      return ToMyself(query_.src.IsUnspecified() ? IpAddress::Loopback(AF_INET) : query_.src);
    const srcsel_flow flow = EngineFlow(query_);
    WalkRules(snapshot_, flow, answers_, [this](const Reached &reached) { Arrive(reached); });
  }

  // To 0.0.0.0.
  void ToMyself(const IpAddress &address) {
    Outcome outcome;
    outcome.source = address;
    outcome.oif = kLoIndex;
    outcome.type = RTN_LOCAL;
    answers_.Add(outcome);
  }

  void Arrive(const Reached &reached) {
    if (reached.error != 0 && query_.flow.oif != 0)
      return Leave(query_.flow.oif, RT_SCOPE_LINK);  // assumed to be on link
    if (reached.error != 0) return Fail(reached.error, reached);
    ChoosePath4(snapshot_, query_, reached, answers_,
                [&](const RouteTerms &terms, const Path &path) { Take(reached, terms, path); });
  }

  void Take(const Reached &reached, const RouteTerms &terms, const Path &path) {
    Outcome outcome;
    outcome.rule = reached.rule;
    outcome.table = reached.table;
    outcome.type = TypeOf(terms.type);
    outcome.dst = Prefix{query_.dst, reached.route->plen}.Network();
    outcome.metric = terms.metric;
    outcome.tos = terms.tos;
    outcome.nexthop_id = terms.nexthop_id;
    outcome.oif = path.oif;
    if (terms.type == RTN_LOCAL) {
      outcome.oif = kLoIndex;
      outcome.mtu = terms.mtu;
      return AddFrom(outcome, path.source.value_or(query_.dst), {}, Ambiguity::kNone);
    }
    const bool bare =
        query_.dst.IsBroadcast() || (outcome.type == RTN_MULTICAST && reached.route->plen < 4);
    if (!bare) {
      outcome.gateway = path.gateway;
      outcome.mtu = terms.mtu;
    }
    AddFrom(outcome, path.source.value_or(IpAddress()), path.other_sources,
            path.id != 0 ? Ambiguity::kNexthop : Ambiguity::kDevices);
  }

  void AddFrom(Outcome &outcome, const IpAddress &source, const std::vector<IpAddress> &others,
               Ambiguity why) {
    outcome.source = query_.src.IsUnspecified() ? source : query_.src;
    AddChecked(outcome);
    if (others.empty() || !query_.src.IsUnspecified()) return;
    answers_.Doubt(why);
    for (const IpAddress &other : others) {
      outcome.source = other;
      AddChecked(outcome);
    }
  }

  void AddChecked(const Outcome &outcome) {
    if (outcome.source.IsLoopback() && !LetsLoopbackOut(outcome.oif))
      answers_.Add({.error = EINVAL, .rule = outcome.rule, .table = outcome.table});
    else
      answers_.Add(outcome);
  }

  bool LetsLoopbackOut(std::uint32_t oif) const {
    const Link *link = snapshot_.FindLink(oif);
    return snapshot_.state().settings.route_localnet_all ||
           (link && (link->route_localnet || link->flags & IFF_LOOPBACK));
  }

  const Snapshot &snapshot_;
  const Query &query_;
  Answers &answers_;
};

}  // namespace

Own OwnSource4(const Snapshot &snapshot, const IpAddress &address) {
  if (snapshot.OwnerOf(address) != 0) return Own::kYes;
  const srcsel_route *local = RouteTo(snapshot, snapshot.head().local[SRCSEL_V4], address);
  if (local && local->flags & SRCSEL_ROUTE_MERGED) return Own::kPerhaps;
  if (local && local->type == RTN_LOCAL) return Own::kYes;
  if (!snapshot.may_be_merged()) return Own::kNo;
  const std::uint32_t main_table = snapshot.Rules(SRCSEL_V4)[1].target;
  const srcsel_route *main = RouteTo(snapshot, main_table, address);
  return main && main->type == RTN_LOCAL ? Own::kPerhaps : Own::kNo;
}

void Lookup4(const Snapshot &snapshot, const Query &query, Answers &answers) {
  LookupV4(snapshot, query, answers).Run();
}

}  // namespace srcsel
