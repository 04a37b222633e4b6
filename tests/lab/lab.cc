#include "lab/lab.hh"

#include <sys/socket.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status.hh"
#include "lab/netns_monitor.hh"

namespace srcsel::lab {
namespace {

// A host under construction.
struct Site {
  const HostPlan &plan;
  std::vector<End> ends;
  Host host;
  NetnsMonitor monitor;
};

using Lines = std::vector<std::string>;

int FamilyOf(absl::string_view address) {
  return absl::StrContains(address, ':') ? AF_INET6 : AF_INET;
}

void Append(const Lines &more, Lines *lines) {
  lines->insert(lines->end(), more.begin(), more.end());
}

// lo first. Link-local addresses are given, not left to the kernel, so that one can wait for them.
std::vector<End> EndsAt(const HostPlan &plan, const std::vector<Wire> &wires) {
  std::vector<End> ends = {{plan.name, "lo", plan.addresses}};
  int number = 0;
  for (const Wire &wire : wires) {
    const std::string link_local = absl::StrCat("fe80::", ++number);
    for (auto [end, suffix] : {std::pair(wire.a, ":a/64"), {wire.b, ":b/64"}}) {
      if (end.host != plan.name) continue;
      end.addresses.push_back(link_local + suffix);
      ends.push_back(std::move(end));
    }
  }
  return ends;
}

absl::StatusOr<Site> Prepare(const HostPlan &plan, const std::vector<Wire> &wires) {
  SRCSEL_ASSIGN_OR_RETURN(Host host, Host::Create(plan.name));
  SRCSEL_RETURN_IF_ERROR(host.SetSysctl("net.ipv6.conf.default.addr_gen_mode", "1"));
  SRCSEL_ASSIGN_OR_RETURN(NetnsMonitor monitor, NetnsMonitor::Open(host.netns().fd()));
  return Site{plan, EndsAt(plan, wires), std::move(host), std::move(monitor)};
}

absl::StatusOr<std::string> WhereIs(const End &end, const std::vector<Site> &sites) {
  for (const Site &site : sites)
    if (site.plan.name == end.host)
      return absl::StrCat("name ", end.interface, " netns ", site.host.netns().Path());
  return absl::InvalidArgumentError(
      absl::StrCat("lay a wire to ", end.interface, " of ", end.host, ": no such host"));
}

absl::Status LayWires(const std::vector<Wire> &wires, const std::vector<Site> &sites) {
  Lines lines;
  for (const Wire &wire : wires) {
    SRCSEL_ASSIGN_OR_RETURN(const std::string a, WhereIs(wire.a, sites));
    SRCSEL_ASSIGN_OR_RETURN(const std::string b, WhereIs(wire.b, sites));
    lines.push_back(absl::StrCat("link add ", a, " type veth peer ", b));
  }
  return lines.empty() ? absl::OkStatus() : sites.front().host.IpBatch("-4", lines);
}

absl::Status SetSysctls(const Site &site) {
  for (const std::string &sysctl : site.plan.sysctls) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(sysctl, absl::MaxSplits('=', 1));
    SRCSEL_RETURN_IF_ERROR(site.host.SetSysctl(pair.first, pair.second));
  }
  return absl::OkStatus();
}

// nodad, or an IPv6 address is tentative for a second.
Lines AddressLines(const std::vector<End> &ends, int family) {
  Lines lines;
  for (const End &end : ends)
    for (const std::string &address : end.addresses)
      if (FamilyOf(address) == family)
        lines.push_back(absl::StrCat("address add ", address, " dev ", end.interface,
                                     family == AF_INET6 ? " nodad" : ""));
  return lines;
}

absl::Status RaiseWithIpv4(const Site &site) {
  SRCSEL_RETURN_IF_ERROR(SetSysctls(site));
  Lines lines;
  for (const End &end : site.ends) lines.push_back(absl::StrCat("link set ", end.interface, " up"));
  Append(AddressLines(site.ends, AF_INET), &lines);
  Append(site.plan.ip, &lines);
  return site.host.IpBatch("-4", lines);
}

absl::Status WaitUntilUp(Site &site) {
  for (const End &end : site.ends)
    if (end.interface != "lo")
      SRCSEL_RETURN_IF_ERROR(site.host.Annotate(site.monitor.WaitUntilUp(end.interface)));
  return absl::OkStatus();
}

absl::Status AddIpv6AndRules(const Site &site) {
  Lines lines = AddressLines(site.ends, AF_INET6);
  Append(site.plan.ip6, &lines);
  SRCSEL_RETURN_IF_ERROR(site.host.IpBatch("-6", lines));
  return site.plan.nft.empty() ? absl::OkStatus() : site.host.Nft(site.plan.nft);
}

absl::Status WaitUntilReceiving(Site &site) {
  for (const End &end : site.ends)
    for (const std::string &address : end.addresses) {
      if (FamilyOf(address) != AF_INET6) continue;
      SRCSEL_ASSIGN_OR_RETURN(const Prefix prefix, Prefix::Parse(address));
      SRCSEL_RETURN_IF_ERROR(site.host.Annotate(site.monitor.WaitUntilReceiving(prefix.address)));
    }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Lab> Lab::Build(const Description &description) {
  std::vector<Site> sites;
  for (const HostPlan &plan : description.hosts) {
    SRCSEL_ASSIGN_OR_RETURN(Site site, Prepare(plan, description.wires));
    sites.push_back(std::move(site));
  }
  SRCSEL_RETURN_IF_ERROR(LayWires(description.wires, sites));
  for (const Site &site : sites) SRCSEL_RETURN_IF_ERROR(RaiseWithIpv4(site));
  for (Site &site : sites) SRCSEL_RETURN_IF_ERROR(WaitUntilUp(site));
  for (const Site &site : sites) SRCSEL_RETURN_IF_ERROR(AddIpv6AndRules(site));
  for (Site &site : sites) SRCSEL_RETURN_IF_ERROR(WaitUntilReceiving(site));

  Lab lab;
  for (Site &site : sites) lab.hosts_.emplace(site.plan.name, std::move(site.host));
  return lab;
}

}  // namespace srcsel::lab
