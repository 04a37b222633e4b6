#include "differential/hosts/draw_host.hh"

#include <utility>

#include "differential/hosts/sketch.hh"

namespace srcsel {

DrawnHost DrawHost(Draw &draw) {
  Sketch host{draw, draw.Once(6)};
  host.Add("sysctl net.ipv6.conf.default.addr_gen_mode=1");
  DrawLinks(host);
  DrawSettings(host);
  DrawAddresses(host);
  const bool rules_first = draw.Once(4);
  for (const bool v6 : {false, true}) {
    if (rules_first) DrawRules(host, v6);
    DrawNexthops(host, v6);
    DrawRoutes(host, v6);
    DrawNeighbours(host, v6);
    if (!rules_first) DrawRules(host, v6);
  }
  DrawLateChanges(host);
  return {std::move(host.commands), host.hidden};
}

}  // namespace srcsel
