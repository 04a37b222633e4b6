#include "lookup/select.hh"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "base/unmapped.hh"
#include "lookup/answers.hh"
#include "lookup/lookup4.hh"
#include "lookup/lookup6.hh"
#include "lookup/query.hh"

namespace srcsel {
namespace {

// ip_route_connect(), then tcp_v4_connect() or __ip4_datagram_connect().
class Connect4 {
 public:
  Connect4(const Snapshot &snapshot, const Flow &flow, Answers &answers)
      : snapshot_(snapshot), flow_(flow), answers_(answers) {}

  void Run() {
    if (!ChoosesPort() || IsTcp() || snapshot_.PortClasses(AF_INET).empty())
      return First(flow_.sport);
    // Other protocols choose the port before the first lookup.
    DoubtPort();
    for (const std::uint16_t port : snapshot_.PortClasses(AF_INET)) First(port);
  }

 private:
  bool IsTcp() const { return flow_.proto == IPPROTO_TCP; }
  bool ChoosesPort() const { return (IsTcp() || flow_.proto == IPPROTO_UDP) && flow_.sport == 0; }

  // Whether the next lookup may end otherwise: by rules and paths, or since the source is looked
  // at.
  bool SourceDecides(const Answers &first, const IpAddress &source) const {
    const IpAddress &dst = flow_.destination;
    return first.varies() || snapshot_.RulesUseSource(AF_INET) ||
           !snapshot_.PortClasses(AF_INET).empty() || dst.IsUnspecified() || dst.IsMulticast() ||
           dst.IsBroadcast() || OwnSource4(snapshot_, source) != Own::kYes;
  }

  Query Ask(const IpAddress &dst, const IpAddress &src, std::uint16_t sport) const {
    return {flow_, dst, src, sport, ChoosesPort()};
  }

  void First(std::uint16_t sport) {
    if (!flow_.source.IsUnspecified() && !flow_.destination.IsUnspecified())
      return Second(Ask(flow_.destination, flow_.source, sport));
    Answers first;
    Lookup4(snapshot_, Ask(flow_.destination, flow_.source, sport), first);
    Inherit(first);
    for (const Outcome &outcome : first.all()) {
      if (outcome.error != 0) {
        answers_.Add(outcome);
      } else if (SourceDecides(first, outcome.source)) {
        const IpAddress &dst =
            flow_.destination.IsUnspecified() ? outcome.source : flow_.destination;
        Query second = Ask(dst, outcome.source, sport);
        second.before = &outcome;
        Second(second);
      } else {
        Finish(outcome);
      }
    }
  }

  void Second(const Query &query) {
    Answers second;
    Lookup4(snapshot_, query, second);
    Inherit(second);
    const bool again = IsTcp() && flow_.sport == 0 && !snapshot_.PortClasses(AF_INET).empty();
    for (const Outcome &outcome : second.all()) {
      if (outcome.error != 0 || !again)
        Finish(outcome);
      else
        Third(query, outcome);
    }
  }

  // The socket has its source by now, be it 0.0.0.0.
  void Third(Query query, const Outcome &second) {
    if (const int error = Refusal(second)) return answers_.Add({.error = error});
    DoubtPort();
    for (const std::uint16_t port : snapshot_.PortClasses(AF_INET)) {
      Answers third;
      query.src = second.source;
      query.sport = port;
      Lookup4(snapshot_, query, third);
      Inherit(third);
      for (Outcome outcome : third.all()) {
        if (outcome.error == 0) outcome.source = second.source;
        answers_.Add(outcome);
      }
    }
  }

  void DoubtPort() {
    if (snapshot_.PortClasses(AF_INET).size() > 1) answers_.Doubt(Ambiguity::kPort);
  }

  int Refusal(const Outcome &outcome) const {
    const bool group = outcome.type == RTN_MULTICAST, all = outcome.type == RTN_BROADCAST;
    if (IsTcp()) return group || all ? ENETUNREACH : 0;
    return all && !flow_.broadcast ? EACCES : 0;
  }

  void Finish(const Outcome &outcome) {
    if (const int error = outcome.error != 0 ? 0 : Refusal(outcome))
      answers_.Add({.error = error});
    else
      answers_.Add(outcome);
  }

  void Inherit(const Answers &from) {
    if (from.why() == Ambiguity::kNone) return;
    if (from.complete())
      answers_.Doubt(from.why());
    else
      answers_.DoubtAll(from.why());
  }

  const Snapshot &snapshot_;
  const Flow &flow_;
  Answers &answers_;
};

// ip6_dst_lookup_flow(), after the checks of tcp_v6_connect() and __ip6_datagram_connect().
class Connect6 {
 public:
  Connect6(const Snapshot &snapshot, const Flow &flow, Answers &answers)
      : snapshot_(snapshot),
        flow_(flow),
        dst_(flow.destination.IsUnspecified() ? IpAddress::Loopback(AF_INET6) : flow.destination),
        answers_(answers) {}

  void Run() {
    if (IsTcp() && dst_.IsMulticast()) return answers_.Add({.error = ENETUNREACH});
    if (flow_.oif == 0 && NeedsScopeId()) return answers_.Add({.error = EINVAL});
    if (IsTcp() || flow_.proto != IPPROTO_UDP || flow_.sport != 0 ||
        snapshot_.PortClasses(AF_INET6).empty())
      return From(flow_.sport);
    if (snapshot_.PortClasses(AF_INET6).size() > 1) answers_.Doubt(Ambiguity::kPort);
    for (const std::uint16_t port : snapshot_.PortClasses(AF_INET6)) From(port);
  }

 private:
  bool IsTcp() const { return flow_.proto == IPPROTO_TCP; }
  bool NeedsScopeId() const {
    const int scope = dst_.bytes()[1] & 0xf;  // interface-local and link-local
    return dst_.IsLinkLocal() || (dst_.IsMulticast() && (scope == 1 || scope == 2));
  }

  Query Ask(const IpAddress &src, std::uint16_t sport) const {
    const bool any_sport = flow_.sport == 0 && (IsTcp() || flow_.proto == IPPROTO_UDP);
    const bool again = flow_.source != src;
    return {flow_, dst_, src, sport, any_sport, false, again};
  }

  void From(std::uint16_t sport) {
    const Query query = Ask(flow_.source, sport);
    if (!flow_.source.IsUnspecified()) return Lookup6(snapshot_, query, answers_);
    Answers first;
    Lookup6(snapshot_, query, first);
    if (!first.complete()) answers_.DoubtAll(first.why());
    if (first.why() != Ambiguity::kNone) answers_.Doubt(first.why());
    for (const Outcome &outcome : first.all()) {
      if (outcome.error == 0 && outcome.source.IsUnspecified())
        answers_.Add({.error = EADDRNOTAVAIL, .rule = outcome.rule, .table = outcome.table});
      else if (outcome.error == 0)
        answers_.Add(outcome);
      else
        SourceWithoutRoute6(snapshot_, query, answers_, [&](const IpAddress &source) {
          Lookup6(snapshot_, Ask(source, sport), answers_);
        });
    }
  }

  const Snapshot &snapshot_;
  const Flow &flow_;
  const IpAddress dst_;
  Answers &answers_;
};

// With addresses of one family: an IPv4-mapped flow is one of IPv4.
Flow Plain(const Flow &flow) {
  Flow plain = flow;
  plain.destination = Unmapped(flow.destination);
  plain.source = Unmapped(flow.source);
  if (plain.source.IsUnspecified()) plain.source = IpAddress::Any(plain.destination.family());
  return plain;
}

bool IsPlain(const Flow &flow) {
  return flow.destination.is_v4() ? flow.source.is_v4()
                                  : !flow.source.is_v4() && !flow.destination.IsV4Mapped();
}

Selection Connect(const Snapshot &snapshot, const Flow &flow) {
  Answers answers;
  if (flow.destination.family() != flow.source.family())
    answers.Add({.error = EINVAL});
  else if (flow.destination.is_v4())
    Connect4(snapshot, flow, answers).Run();
  else
    Connect6(snapshot, flow, answers).Run();
  return std::move(answers).Finish(snapshot.generation());
}

}  // namespace

Selection Select(const Snapshot &snapshot, const Flow &flow) {
  return IsPlain(flow) ? Connect(snapshot, flow) : Connect(snapshot, Plain(flow));
}

Selection Lookup(const Snapshot &snapshot, const Flow &flow) {
  Answers answers;
  const IpAddress src =
      flow.source.IsUnspecified() ? IpAddress::Any(flow.destination.family()) : flow.source;
  const Query query = {flow, flow.destination, src, flow.sport, false, true};
  if (flow.destination.family() != src.family())
    answers.Add({.error = EINVAL});
  else if (flow.destination.is_v4())
    Lookup4(snapshot, query, answers);
  else
    Lookup6(snapshot, query, answers);
  return std::move(answers).Finish(snapshot.generation());
}

}  // namespace srcsel
