#include "models.hh"

#include <netinet/in.h>

#include "base/status.hh"
#include "network.hh"

namespace srcsel {
namespace {

// mwan3: the mark of a connection is restored, else policies choose, 0x100 for the first uplink and
// 0x200 for the second; what is on a connected network gets 0x3f00.
constexpr char kMwan3[] = R"(*mangle
:OUTPUT ACCEPT [0:0]
:mwan3_hook - [0:0]
:mwan3_ifaces_in - [0:0]
:mwan3_connected - [0:0]
:mwan3_rules - [0:0]
:mwan3_policy_wan2_only - [0:0]
-A OUTPUT -j mwan3_hook
-A mwan3_hook -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00
-A mwan3_hook -m mark --mark 0x0/0x3f00 -j mwan3_ifaces_in
-A mwan3_hook -m mark --mark 0x0/0x3f00 -j mwan3_connected
-A mwan3_hook -m mark --mark 0x0/0x3f00 -j mwan3_rules
-A mwan3_hook -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
-A mwan3_hook -m mark ! --mark 0x3f00/0x3f00 -j mwan3_connected
-A mwan3_connected -d 198.51.0.0/24 -j MARK --set-xmark 0x3f00/0x3f00
-A mwan3_rules -d 198.51.1.0/24 -p tcp -m multiport --dports 80,443 -m mark --mark 0x0/0x3f00 -m comment --comment "https" -j mwan3_policy_wan2_only
-A mwan3_rules -m mark --mark 0x0/0x3f00 -m comment --comment "default_rule_v4" -j MARK --set-xmark 0x100/0x3f00
-A mwan3_policy_wan2_only -m mark --mark 0x0/0x3f00 -m comment --comment "wan2 1 1" -j MARK --set-xmark 0x200/0x3f00
COMMIT
)";
constexpr char kMwan3v6[] = R"(*mangle
:OUTPUT ACCEPT [0:0]
:mwan3_hook - [0:0]
:mwan3_ifaces_in - [0:0]
:mwan3_connected - [0:0]
:mwan3_rules - [0:0]
:mwan3_policy_wan2_only - [0:0]
-A OUTPUT -j mwan3_hook
-A mwan3_hook -j CONNMARK --restore-mark --nfmask 0x3f00 --ctmask 0x3f00
-A mwan3_hook -m mark --mark 0x0/0x3f00 -j mwan3_ifaces_in
-A mwan3_hook -m mark --mark 0x0/0x3f00 -j mwan3_connected
-A mwan3_hook -m mark --mark 0x0/0x3f00 -j mwan3_rules
-A mwan3_hook -j CONNMARK --save-mark --nfmask 0x3f00 --ctmask 0x3f00
-A mwan3_hook -m mark ! --mark 0x3f00/0x3f00 -j mwan3_connected
-A mwan3_connected -d 2001:db8::0:0/112 -j MARK --set-xmark 0x3f00/0x3f00
-A mwan3_rules -d 2001:db8::1:0/112 -p tcp -m multiport --dports 80,443 -m mark --mark 0x0/0x3f00 -m comment --comment "https" -j mwan3_policy_wan2_only
-A mwan3_rules -m mark --mark 0x0/0x3f00 -m comment --comment "default_rule_v6" -j MARK --set-xmark 0x100/0x3f00
-A mwan3_policy_wan2_only -m mark --mark 0x0/0x3f00 -m comment --comment "wan2 1 1" -j MARK --set-xmark 0x200/0x3f00
COMMIT
)";

// pbr: a chain of its own, one for each uplink's mark, sets that dnsmasq fills.
constexpr char kPbr[] = R"(table inet fw4 {
 chain pbr_mark_0x010000 { counter packets 0 bytes 0 meta mark set meta mark & 0xff01ffff | 0x00010000; return; }
 chain pbr_mark_0x020000 { counter packets 0 bytes 0 meta mark set meta mark & 0xff02ffff | 0x00020000; return; }
 set pbr_wan2_4_dst_ip_cfg { type ipv4_addr; flags interval; auto-merge; elements = { 198.51.1.0/24, 198.51.2.3 } }
 set pbr_wan2_6_dst_ip_cfg { type ipv6_addr; flags interval; auto-merge; elements = { 2001:db8::1:0/112 } }
 chain pbr_output {
  ip daddr @pbr_wan2_4_dst_ip_cfg goto pbr_mark_0x020000
  ip6 daddr @pbr_wan2_6_dst_ip_cfg goto pbr_mark_0x020000
  meta l4proto tcp tcp dport { 443 } goto pbr_mark_0x010000 comment "https"
 }
 chain mangle_output { type route hook output priority mangle; policy accept;
  meta mark & 0x00ff0000 == 0x00000000 counter packets 0 bytes 0 jump pbr_output
 }
}
)";

// Mullvad: what an excluded process sends is marked, in its packets and its connection; the rest
// may leave by the tunnel only.
constexpr char kMullvad[] = R"(table inet mullvad {
 chain mangle { type route hook output priority mangle; policy accept;
  oif lo accept
  meta skuid 2000 ct mark set 0x00000f41 meta mark set 0x6d6f6c65
 }
 chain output { type filter hook output priority filter; policy drop;
  oif lo accept
  ct mark 0x00000f41 accept
  meta mark 0x6d6f6c65 accept
  udp dport 53 reject
  accept
 }
}
)";

// Tailscale: its own sockets have a mark, which nobody may change; subnet routes have another.
constexpr char kTailscale[] = R"(*mangle
:OUTPUT ACCEPT [0:0]
-A OUTPUT -m mark --mark 0x80000/0xff0000 -j RETURN
-A OUTPUT -m conntrack --ctstate NEW -d 198.51.2.0/24 -j MARK --set-xmark 0x40000/0xff0000
-A OUTPUT -p udp --dport 1003 -j MARK --or-mark 0x1
COMMIT
)";
constexpr char kTailscale6[] = R"(*mangle
:OUTPUT ACCEPT [0:0]
-A OUTPUT -m mark --mark 0x80000/0xff0000 -j RETURN
-A OUTPUT -m conntrack --ctstate NEW -d 2001:db8::2:0/112 -j MARK --set-xmark 0x40000/0xff0000
-A OUTPUT -p udp --dport 1003 -j MARK --or-mark 0x1
COMMIT
)";

}  // namespace

const std::vector<Model> &Models() {
  constexpr std::uint8_t kTcp = IPPROTO_TCP, kUdp = IPPROTO_UDP;
  static const std::vector<Model> models = {
      {"mwan3",
       "iptables-nft-restore",
       kMwan3,
       "rule add fwmark 0x100/0x3f00 lookup 101\nrule add fwmark 0x200/0x3f00 lookup 102\n",
       {{"198.51.0.1", kTcp, 443, 0, 0, 0x3f00, "10.9.0.1"},
        {"198.51.1.1", kTcp, 443, 0, 0, 0x200, "10.9.2.1"},
        {"198.51.1.1", kTcp, 53, 0, 0, 0x100, "10.9.1.1"},
        {"198.51.1.1", kUdp, 443, 0, 0, 0x100, "10.9.1.1"},
        {"198.51.2.1", kTcp, 443, 0, 0x200, 0x100, "10.9.1.1"},
        {"198.51.2.1", kTcp, 443, 0, 1, 0x101, "10.9.1.1"},
        {"2001:db8::0:1", kTcp, 443, 0, 0, 0x3f00, "fd09::1"},
        {"2001:db8::1:1", kTcp, 443, 0, 0, 0x200, "fd09:2::1"},
        {"2001:db8::1:1", kUdp, 443, 0, 0, 0x100, "fd09:1::1"}},
       "ip6tables-nft-restore",
       kMwan3v6},
      {"pbr",
       "nft -f -",
       kPbr,
       "rule add fwmark 0x10000/0xff0000 lookup 101\nrule add fwmark 0x20000/0xff0000 lookup 102\n",
       {{"198.51.1.9", kTcp, 443, 0, 0, 0x20000, "10.9.2.1"},
        {"198.51.2.3", kUdp, 53, 0, 0, 0x20000, "10.9.2.1"},
        {"198.51.2.4", kTcp, 443, 0, 0, 0x10000, "10.9.2.1"},
        {"198.51.2.4", kUdp, 443, 0, 0, 0, "10.9.1.1"},
        {"198.51.1.9", kTcp, 443, 0, 0x30000, 0x30000, "10.9.0.1"},
        {"2001:db8::1:1", kTcp, 443, 0, 0, 0x20000, "fd09:2::1"},
        {"2001:db8::2:1", kTcp, 443, 0, 0, 0x10000, "fd09:1::1"},
        {"2001:db8::1:7", kUdp, 1, 0, 1, 0x20001, "fd09:3::1"}}},
      {"mullvad",
       "nft -f -",
       kMullvad,
       "rule add not fwmark 0x6d6f6c65 lookup 102\n",
       {{"198.51.1.1", kTcp, 443, 2000, 0, 0x6d6f6c65, "10.9.1.1"},
        {"198.51.1.1", kUdp, 53, 2000, 0, 0x6d6f6c65, "10.9.1.1"},
        {"198.51.1.1", kUdp, 53, 0, 0, 0, "10.9.2.1", true},
        {"198.51.1.1", kTcp, 443, 0, 0, 0, "10.9.2.1"},
        {"2001:db8::1:1", kTcp, 443, 2000, 0, 0x6d6f6c65, "fd09:1::1"},
        {"2001:db8::1:1", kTcp, 443, 0, 0, 0, "fd09:2::1"}}},
      {"tailscale",
       "iptables-legacy-restore",
       kTailscale,
       "rule add fwmark 0x80000/0xff0000 lookup 103\nrule add fwmark 0x40000/0xff0000 lookup 102\n",
       {{"198.51.2.1", kTcp, 443, 0, 0, 0x40000, "10.9.2.1"},
        {"198.51.2.1", kTcp, 443, 0, 0x80000, 0x80000, "10.9.3.1"},
        {"198.51.2.1", kUdp, 1003, 0, 0, 0x40001, "10.9.2.1"},
        {"198.51.1.1", kTcp, 443, 0, 0, 0, "10.9.0.1"},
        {"2001:db8::2:1", kTcp, 443, 0, 0, 0x40000, "fd09:2::1"},
        {"2001:db8::2:1", kTcp, 443, 0, 0x80000, 0x80000, "fd09:3::1"},
        {"2001:db8::1:1", kUdp, 1003, 0, 0, 1, "fd09:1::1"},
        {"2001:db8::1:1", kTcp, 443, 0, 0, 0, "fd09::1"}},
       "ip6tables-legacy-restore",
       kTailscale6},
  };
  return models;
}

absl::Status Load(const Model &model) {
  SRCSEL_RETURN_IF_ERROR(Feed(model.program, model.rules));
  if (model.program6 != nullptr) SRCSEL_RETURN_IF_ERROR(Feed(model.program6, model.rules6));
  for (const char *ip : {"ip -batch -", "ip -6 -batch -"})
    SRCSEL_RETURN_IF_ERROR(Feed(ip, model.routing));
  return absl::OkStatus();
}

}  // namespace srcsel
