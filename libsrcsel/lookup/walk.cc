#include "lookup/walk.hh"

#include <cerrno>

#include "engine/decide.h"
#include "lookup/engine.hh"

namespace srcsel {
namespace {

// fib_props of Linux's fib_semantics.c; fib6_rule_action() and rt6_info of ipv6/route.c.
int ErrorOfType(std::uint8_t type) {
  switch (type) {
    case RTN_UNREACHABLE:
      return EHOSTUNREACH;
    case RTN_PROHIBIT:
      return EACCES;
    default:
      return EINVAL;
  }
}

int ErrorOfAction(std::uint8_t action) {
  switch (action) {
    case SRCSEL_RULE_UNREACHABLE:
      return ENETUNREACH;
    case SRCSEL_RULE_PROHIBIT:
      return EACCES;
    default:
      return EINVAL;
  }
}

class Walk {
 public:
  Walk(const Snapshot &snapshot, const srcsel_flow &flow) : snapshot_(snapshot), flow_(flow) {
    walk_.image = snapshot.image();
    walk_.head = &snapshot.head();
    walk_.flow = &flow;
    walk_.mark = flow.mark;
  }

  void RunFrom(std::uint32_t first, Answers &answers,
               absl::FunctionRef<void(const Reached &)> reach) {
    for (;; first = walk_.rule + 1) {
      WalkFrom(walk_, first);
      if (walk_.verdict == SRCSEL_UNREACHED) return reach(Refusal());
      const srcsel_route *route = Route(walk_.route);
      if (walk_.verdict == SRCSEL_UNKNOWABLE && walk_.route == 0) {
        Hesitate(answers, reach);
      } else if (route->flags & SRCSEL_ROUTE_MERGED) {
        answers.Doubt(Ambiguity::kMerged);
        answers.Vary();
        const srcsel_route *apart = Unmerged(route);
        const bool found = apart->type != RTN_UNSPEC, throws = TypeOf(*route) == RTN_THROW;
        if (found) reach(Arrival(apart));
        if (!throws) reach(Arrival(route));
        if (found && !throws) return;
      } else if (route->flags & SRCSEL_ROUTE_DOUBTFUL) {
        if (!GoesOn(route, answers, reach)) return;
      } else if (walk_.verdict == SRCSEL_UNKNOWABLE) {
        answers.Doubt(DoubtOf(*route));
        reach(Arrival(route));
      } else {
        return reach(Arrival(route));
      }
    }
  }

 private:
  const srcsel_route *Route(std::uint32_t index) const {
    return srcsel_route_at(walk_.image, walk_.head, index);
  }

  // At a rule that may hold or not: if it does.
  void Hesitate(Answers &answers, absl::FunctionRef<void(const Reached &)> reach) {
    if (!(snapshot_.Rules(flow_.family)[walk_.rule].flags & SRCSEL_RULE_BOOT))
      return answers.DoubtAll(HasVrf() ? Ambiguity::kVrf : Ambiguity::kRules);
    answers.Doubt(Ambiguity::kRules);
    srcsel_flow certain = flow_;
    certain.unknown = 0;
    Walk(snapshot_, certain).RunFrom(walk_.rule, answers, reach);
  }

  // At a route that may be passed by: it and all that may come instead. Whether the next rule may.
  bool GoesOn(const srcsel_route *route, Answers &answers,
              absl::FunctionRef<void(const Reached &)> reach) {
    answers.Doubt(Ambiguity::kRoutes);
    answers.Vary();
    bool on = PassBy(route, reach);
    if (flow_.oif != 0 && flow_.facts & SRCSEL_FACT_LOOSE && PassBy(OfAnyDevice(), reach))
      on = true;
    return on || walk_.verdict == SRCSEL_UNKNOWABLE;
  }

  bool PassBy(const srcsel_route *route, absl::FunctionRef<void(const Reached &)> reach) {
    bool on = false;
    for (;; route = Next(route)) {
      const std::uint8_t type = TypeOf(*route);
      if (type == RTN_UNSPEC || type == RTN_THROW)
        on = true;
      else
        reach(Arrival(route));
      if (!(route->flags & SRCSEL_ROUTE_DOUBTFUL)) return on;
    }
  }

  // What the rule finds for a flow of no device.
  const srcsel_route *OfAnyDevice() const {
    const std::uint32_t table = snapshot_.Rules(flow_.family)[walk_.rule].target;
    return Route(srcsel_search_one(walk_.image, walk_.head, table, &flow_));
  }

  // That of another prefix.
  const srcsel_route *Next(const srcsel_route *route) const {
    const srcsel_search search = {walk_.image, walk_.head, &flow_, 0};
    const std::uint8_t plen = route->plen;
    do route = Route(route->next);
    while (route->type != RTN_UNSPEC &&
           (route->plen == plen || !srcsel_route_selects(&search, route)));
    return route;
  }

  bool HasVrf() const {
    for (const Link &link : snapshot_.state().links)
      if (link.vrf) return true;
    return false;
  }

  // What a suppressor goes by: the link that the hash leads to, or what a nexthop object remembers.
  static Ambiguity DoubtOf(const srcsel_route &route) {
    return route.flags & SRCSEL_ROUTE_LENGTHS ? Ambiguity::kNexthop : Ambiguity::kHash;
  }

  // What the local table itself holds behind what main would put before it; of no type if nothing.
  const srcsel_route *Unmerged(const srcsel_route *route) const {
    const srcsel_search search = {walk_.image, walk_.head, &flow_, 0};
    while (route->flags & SRCSEL_ROUTE_MERGED || !srcsel_route_selects(&search, route))
      route = Route(route->next);
    return route;
  }

  // Where a walk must stop, the image does not say what forbids.
  std::uint8_t TypeOf(const srcsel_route &route) const {
    if (!(route.flags & (SRCSEL_ROUTE_MERGED | SRCSEL_ROUTE_DOUBTFUL)) ||
        route.flags & SRCSEL_ROUTE_ROTATES)
      return route.type;
    if (snapshot_.details().paths[route.detail].forbids) return RTN_BLACKHOLE;
    return snapshot_.state().routes.terms()[route.detail].type;
  }

  Reached Arrival(const srcsel_route *route) const {
    Reached reached = {.rule = walk_.pref, .table = walk_.table};
    if (const std::uint8_t type = TypeOf(*route); type >= RTN_BLACKHOLE)
      reached.error = ErrorOfType(type);
    else
      reached.route = route;
    return reached;
  }

  Reached Refusal() const {
    if (walk_.rule == SRCSEL_NONE) return {.error = ENETUNREACH};
    if (walk_.table != 0)
      return {
          .error = ErrorOfType(Route(walk_.route)->type), .rule = walk_.pref, .table = walk_.table};
    const auto rules = snapshot_.Rules(flow_.family);
    return {.error = ErrorOfAction(rules[walk_.rule].action), .rule = walk_.pref};
  }

  const Snapshot &snapshot_;
  const srcsel_flow &flow_;
  srcsel_rule_walk walk_{};
};

}  // namespace

void WalkRules(const Snapshot &snapshot, const srcsel_flow &flow, Answers &answers,
               absl::FunctionRef<void(const Reached &)> reach) {
  if (flow.family == SRCSEL_V4 && snapshot.local_may_end_main())
    answers.DoubtAll(Ambiguity::kMerged);
  Walk(snapshot, flow).RunFrom(srcsel_first_rule(&snapshot.head(), &flow), answers, reach);
}

}  // namespace srcsel
