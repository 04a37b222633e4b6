// What happens to a host that stands: links go down, lose their carrier or their name, addresses
// go.

#include "differential/hosts/sketch.hh"

namespace srcsel {

void DrawLateChanges(Sketch &host) {
  for (unsigned left = host.draw.Below(4); left > 0; --left) {
    const std::string link = host.AnyLink();
    switch (host.draw.Below(8)) {
      case 0:
      case 1:
        host.Add("ip link set ", link, " down");
        break;
      case 2:
        host.Add("ip link set ", link, " down");
        host.Add("ip link set ", link, " up");
        break;
      case 3:
        host.Add("ip link set ", link, " group ", host.draw.Below(4));
        break;
      case 4:
        host.Add("ip link set ", link, " down");
        host.Add("ip link set ", link, " name ", host.draw.Once(2) ? "nosuch" : "other");
        host.Add("ip link set nosuch up");
        break;
      case 5:
        host.Add("ip -4 addr flush dev ", link);
        break;
      default: {
        const bool v6 = host.draw.Once(2);
        host.Add(Ip(v6), "addr del ", host.OwnAddress(v6), v6 ? "/64" : "/24", " dev ", link);
      }
    }
  }
}

}  // namespace srcsel
