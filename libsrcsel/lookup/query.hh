// One lookup of a route: a flow, and what changes from one lookup of a connect() to the next.

#pragma once

#include <bit>
#include <cstdint>

#include "engine/key.h"
#include "image/key.hh"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

struct Query {
  const Flow &flow;
  IpAddress dst, src;
  std::uint16_t sport;
  bool any_sport;       // the port is still to be chosen: not what a multipath hash takes
  bool hint = false;    // also tell the source that the route has for others (Outcome::hint)
  bool strict = false;  // IPv6: only the flow's oif will do, whatever the flow says
  // IPv4: what the lookup just before found without a source.
  const Outcome *before = nullptr;
};

// As the engine takes it. Whatever decides is known here, but for what no image mirrors.
inline srcsel_flow EngineFlow(const Query &query, std::uint8_t facts = 0) {
  srcsel_flow flow{};
  flow.dst = KeyOf(query.dst);
  flow.src = KeyOf(query.src);
  flow.mark = query.flow.mark;
  flow.uid = query.flow.uid;
  flow.oif = query.flow.oif;
  flow.unknown = SRCSEL_IN_OPAQUE;
  flow.label = query.flow.label;
  flow.sport = query.sport;
  flow.dport = query.flow.dport;
  flow.family = static_cast<__u8>(FamilyOf(query.dst));
  flow.proto = query.flow.proto;
  flow.dscp = std::rotr(query.flow.tos, 2);
  flow.facts = facts;
  return flow;
}

}  // namespace srcsel
