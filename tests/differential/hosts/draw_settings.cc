// Sysctls that the choice of routes and sources depends on. A seed of multipath hashes, and a hash
// of what is known beforehand, unless the host is to hide it.

#include "differential/hosts/sketch.hh"

namespace srcsel {
namespace {

void DrawMultipath(Sketch &host) {
  if (!host.hidden || host.draw.Once(2))
    host.Add("sysctl net.ipv4.fib_multipath_hash_seed=", 1 + host.draw.Below(0xffffff));
  for (const char *ip : {"ipv4", "ipv6"}) {
    static const std::vector<unsigned> kKnown = {0, 0, 0, 2, 3};
    const unsigned policy = host.hidden ? host.draw.Below(4) : host.draw.OneOf(kKnown);
    const unsigned fields = host.draw.Below(0x40) & (host.hidden ? 0x3f : 0x2f);
    if (policy) host.Add("sysctl net.", ip, ".fib_multipath_hash_policy=", policy);
    if (policy == 3) host.Add("sysctl net.", ip, ".fib_multipath_hash_fields=", fields);
  }
  if (host.draw.Once(4)) host.Add("sysctl net.ipv4.fib_multipath_use_neigh=1");
}

void DrawPerDevice(Sketch &host, const std::string &link) {
  const auto set = [&](const char *name) { host.Add("sysctl net.", name, "=1"); };
  const auto of = [&](const char *ip, const char *name) {
    return absl::StrCat(ip, ".conf.", link, ".", name);
  };
  if (host.draw.Once(3)) set(of("ipv4", "ignore_routes_with_linkdown").c_str());
  if (host.draw.Once(3)) set(of("ipv6", "ignore_routes_with_linkdown").c_str());
  if (host.draw.Once(8)) set(of("ipv4", "route_localnet").c_str());
  if (host.draw.Once(8)) set(of("ipv4", "promote_secondaries").c_str());
  if (host.draw.Once(8)) set(of("ipv6", "use_oif_addrs_only").c_str());
  if (host.draw.Once(30)) set(of("ipv6", "disable_ipv6").c_str());
  if (host.draw.Once(3)) {
    host.Add("sysctl net.", of("ipv6", "use_tempaddr"), "=", 1 + host.draw.Below(2));
    host.Add("sysctl net.", of("ipv6", "accept_dad"), "=0");
  }
  if (host.draw.Once(8)) host.Add("sysctl net.", of("ipv6", "dad_transmits"), "=10000");
  // Neighbours stay as they are made.
  for (const char *ip : {"ipv4", "ipv6"})
    for (const char *time : {"base_reachable_time_ms", "retrans_time_ms"})
      host.Add("sysctl net.", ip, ".neigh.", link, ".", time, "=100000000");
}

}  // namespace

void DrawSettings(Sketch &host) {
  DrawMultipath(host);
  if (host.draw.Once(10)) host.Add("sysctl net.ipv4.conf.all.ignore_routes_with_linkdown=1");
  if (host.draw.Once(12)) host.Add("sysctl net.ipv4.conf.all.route_localnet=1");
  if (host.draw.Once(3)) host.Add("sysctl net.ipv6.conf.all.forwarding=1");
  if (host.draw.Once(8)) host.Add("sysctl net.ipv4.ip_forward=1");
  if (host.draw.Once(12)) host.Add("sysctl net.ipv4.ip_nonlocal_bind=1");
  if (host.draw.Once(12)) host.Add("sysctl net.ipv6.ip_nonlocal_bind=1");
  for (const std::string &link : host.links) DrawPerDevice(host, link);
}

}  // namespace srcsel
