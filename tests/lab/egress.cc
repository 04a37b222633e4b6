#include "lab/egress.hh"

#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel::lab {

absl::StatusOr<Egress> Egress::Start(const Host &client) {
  SRCSEL_ASSIGN_OR_RETURN(Capture eth0, client.StartCapture("eth0"));
  SRCSEL_ASSIGN_OR_RETURN(Capture eth1, client.StartCapture("eth1"));
  return Egress(std::move(eth0), std::move(eth1));
}

absl::StatusOr<std::string> Egress::DevicesOf(const Flow &flow) {
  std::string devices;
  for (const int device : {0, 1}) {
    SRCSEL_ASSIGN_OR_RETURN(const std::set<Flow> flows, FlowsBy(device, flow.second));
    if (flows.contains(flow)) absl::StrAppend(&devices, devices.empty() ? "" : " ", "eth", device);
  }
  return devices;
}

absl::StatusOr<std::set<Egress::Flow>> Egress::FlowsBy(int device, const IpAddress &server) {
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<Packet> packets, captures_[device].Sent());
  std::set<Flow> flows;
  for (const Packet &packet : packets)
    if (packet.to.address == server) flows.emplace(packet.from, server);
  return flows;
}

}  // namespace srcsel::lab
