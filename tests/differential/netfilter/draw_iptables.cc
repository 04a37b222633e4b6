#include "draw_iptables.hh"

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

constexpr int kChains = 3;

class IptablesDrawer {
 public:
  IptablesDrawer(Dice &dice, bool v6, bool unknown, std::string cgroup)
      : dice_(dice), v6_(v6), unknown_(unknown), ways_(dice.OneIn(4)), cgroup_(std::move(cgroup)) {}

  std::string All() {
    std::string text;
    if (dice_.OneIn(5))
      text += "*raw\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp --dport 53 -j CT --notrack\nCOMMIT\n";
    if (dice_.OneIn(4))
      text += absl::StrCat("*filter\n:OUTPUT ", dice_.OneIn(8) ? "DROP" : "ACCEPT",
                           " [0:0]\n-A OUTPUT -m mark --mark 0x2/0x3 -p udp -j ",
                           dice_.OneIn(2) ? "REJECT" : "ACCEPT", "\nCOMMIT\n");
    if (dice_.OneIn(4)) text += Nat();
    return text + Mangle();
  }

 private:
  // As docker has it: for addresses of the host's own. What else it may rewrite is not known.
  std::string Nat() {
    const std::string own = v6_ ? "::1/128" : "127.0.0.0/8",
                      to = v6_ ? "[2001:db8::2:1]" : "198.51.2.1";
    std::string text =
        absl::StrCat("*nat\n:OUTPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n-A OUTPUT ! -d ", own,
                     " -m addrtype --dst-type LOCAL -j DOCKER\n",
                     "-A DOCKER -p tcp -m tcp --dport 80 -j DNAT --to-destination ", to, ":80\n");
    if (unknown_)
      absl::StrAppend(&text, "-A OUTPUT -p udp -m udp --dport 80 -d ", Destination(), " -j ",
                      dice_.OneIn(2) ? absl::StrCat("DNAT --to-destination ", to, ":80")
                                     : "REDIRECT --to-ports 81",
                      "\n");
    return text + "COMMIT\n";
  }

  std::string Mangle() {
    std::string text = "*mangle\n:OUTPUT ACCEPT [0:0]\n";
    for (int i = 0; i < kChains; ++i) absl::StrAppend(&text, ":c", i, " - [0:0]\n");
    for (int i = -1; i < kChains; ++i)
      for (std::size_t left = 1 + dice_.Below(4); left > 0; --left)
        absl::StrAppend(&text, "-A ", i < 0 ? "OUTPUT" : absl::StrCat("c", i), Matches(), " ",
                        Target(i + 1), "\n");
    return text + "COMMIT\n";
  }

  std::string Destination() {
    if (v6_)
      return absl::StrCat("2001:db8::", dice_.Below(3),
                          dice_.Word({":0/112", ":4/126", ":1", ":2", ":3"}));
    return absl::StrCat("198.51.", dice_.Below(3),
                        dice_.Word({".0/24", ".4/30", ".1", ".2", ".3"}));
  }
  std::string No() { return dice_.OneIn(4) ? "! " : ""; }

  std::string Matches() {
    std::string text;
    for (std::size_t left = dice_.Below(3); left > 0; --left) absl::StrAppend(&text, " ", Match());
    // Of these, iptables takes one a rule.
    if (dice_.OneIn(3)) absl::StrAppend(&text, " ", No(), "-d ", Destination());
    if (dice_.OneIn(3)) absl::StrAppend(&text, " ", Ports());
    if (dice_.OneIn(5)) absl::StrAppend(&text, " -m set ", No(), "--match-set ", Set());
    if (ways_ && dice_.OneIn(15))
      absl::StrAppend(
          &text, " ", No(), "-s ",
          v6_ ? dice_.Word({"fd09:1::1", "fd09::/64"}) : dice_.Word({"10.9.1.1", "10.9.0.0/23"}));
    if (ways_ && dice_.OneIn(8))
      absl::StrAppend(&text, " ", No(), "-o ", dice_.Word({"u0", "u0", "u1", "u+", "lo", "lo"}));
    return text;
  }

  std::string Set() { return absl::StrCat(dice_.Word({"a", "n", "l"}), v6_ ? "6 dst" : "4 dst"); }

  std::string Ports() {
    const std::string proto = dice_.Word({"tcp", "udp"});
    switch (dice_.Below(5)) {
      case 0:
        return absl::StrCat("-p ", proto);
      case 1:
        return absl::StrCat("! -p ", proto);
      case 2:
        return absl::StrCat("-p ", proto, " -m multiport ", No(), "--dports 53,80,1000:1004");
      case 3:
        return absl::StrCat("-p tcp ", No(), "--syn");
      default:
        return absl::StrCat("-p ", proto, " ", No(), "--dport ",
                            dice_.Word({"53", "80", "443", "1000:1005"}));
    }
  }

  std::string Match() {
    if (unknown_ && dice_.OneIn(10))
      return dice_.Word({"-m limit --limit 10/sec", "-m statistic --mode random --probability 0.5",
                         "-m length --length 0:100"});
    if (dice_.OneIn(12)) return absl::StrCat("-m cgroup ", No(), "--path ", cgroup_);
    if (dice_.OneIn(20))
      return absl::StrCat("-m dscp ", No(), "--dscp ", dice_.Word({"0x0", "0x0a"}));
    if (dice_.OneIn(20))
      return absl::StrCat("-m tos ", No(), "--tos ",
                          dice_.Word({"0x10/0x3f", "0x00/0xff", "0x20/0xe0", "Minimize-Delay"}));
    if (dice_.OneIn(15))
      return absl::StrCat("-m cgroup ", No(), "--cgroup ", dice_.Word({"0", "65537"}));
    if (dice_.OneIn(20))
      return absl::StrCat("-m set ", No(), "--match-set ", v6_ ? "p6" : "p4", " dst,dst");
    switch (dice_.Below(8)) {
      case 0:
        return absl::StrCat("-m owner ", No(), "--uid-owner ",
                            dice_.Word({"1000", "0-1000", "2000"}));
      case 1:
        return absl::StrCat("-m owner ", No(), "--gid-owner ", dice_.Word({"5", "5-6"}));
      case 2:
        return absl::StrCat("-m mark ", No(), "--mark ",
                            dice_.Word({"0x0", "0x1", "0x0/0xff", "0x1/0x3"}));
      case 3:
        return absl::StrCat("-m connmark ", No(), "--mark ",
                            dice_.Word({"0x0", "0x1", "0x0/0xff"}));
      case 4:
        return absl::StrCat("-m conntrack ", No(), "--ctstate ",
                            dice_.Word({"NEW", "NEW,RELATED", "ESTABLISHED", "UNTRACKED"}));
      case 5:
        return absl::StrCat("-m addrtype ", No(), "--dst-type ",
                            dice_.Word({"LOCAL", "LOCAL,MULTICAST"}));
      case 6:
        return absl::StrCat("-m iprange ", No(), "--dst-range ",
                            v6_ ? "2001:db8::1:1-2001:db8::1:4" : "198.51.1.1-198.51.1.4");
      default:
        return "-m comment --comment \"to \\\"wan2\\\" -j\"";
    }
  }

  std::string Target(int next) {
    switch (dice_.Below(14)) {
      case 0:
      case 1:
        return absl::StrCat("-j MARK --set-mark ", dice_.Word({"0x1", "0x2", "0x64"}));
      case 2:
        return absl::StrCat("-j MARK --set-xmark ",
                            dice_.Word({"0x1/0xff", "0x3/0x3", "0x100/0xff00", "0x2/0x0"}));
      case 3:
        return absl::StrCat("-j MARK --or-mark ", dice_.Word({"0x1", "0x10"}));
      case 4:
        return absl::StrCat("-j MARK --and-mark ", dice_.Word({"0xff", "0xfffffffe"}));
      case 5:
        return absl::StrCat("-j MARK --xor-mark ", dice_.Word({"0x1", "0x13"}));
      case 6:
        return absl::StrCat(
            "-j CONNMARK ",
            dice_.Word({"--restore-mark", "--restore-mark --nfmask 0xff --ctmask 0xff",
                        "--restore-mark --nfmask 0xf --ctmask 0xff"}));
      case 7:
        return absl::StrCat("-j CONNMARK ",
                            dice_.Word({"--save-mark", "--save-mark --nfmask 0xff --ctmask 0x3",
                                        "--set-mark 0x2", "--or-mark 0x10"}));
      case 8:
      case 9:
      case 10:
        if (next < kChains)
          return absl::StrCat(dice_.Word({"-j c", "-j c", "-g c"}),
                              next + dice_.Below(kChains - next));
        [[fallthrough]];
      case 11:
        return dice_.Word({"-j RETURN", "-j RETURN", "-j ACCEPT"});
      case 12:
        return dice_.Word({"-j ACCEPT", "-j DROP", "-j LOG --log-prefix \"a -j b\"", ""});
      default:
        return "-j RETURN";
    }
  }

  Dice &dice_;
  const bool v6_, unknown_;
  const bool ways_;  // matches devices and sources, which takes long to work out
  const std::string cgroup_;
};

}  // namespace

std::string DrawIptables(Dice &dice, bool v6, bool unknown, const std::string &cgroup) {
  return IptablesDrawer(dice, v6, unknown, cgroup).All();
}

std::string IpSetsToDrawFrom() {
  return "create a4 hash:ip family inet timeout 3600\nadd a4 198.51.0.1\nadd a4 198.51.1.2\n"
         "add a4 198.51.2.3\ncreate n4 hash:net family inet\nadd n4 198.51.1.0/24\n"
         "add n4 198.51.2.4/30\ncreate l4 list:set\nadd l4 a4\nadd l4 n4\n"
         "create p4 hash:ip,port family inet\nadd p4 198.51.0.1,tcp:443\n"
         "add p4 198.51.1.1,udp:53\nadd p4 198.51.2.2,udp:1003\n"
         "create a6 hash:ip family inet6\nadd a6 2001:db8::0:1\nadd a6 2001:db8::1:2\n"
         "create n6 hash:net family inet6\nadd n6 2001:db8::1:0/112\n"
         "create l6 list:set\nadd l6 a6\nadd l6 n6\n"
         "create p6 hash:ip,port family inet6\nadd p6 2001:db8::0:1,tcp:443\n"
         "add p6 2001:db8::1:1,udp:53\n";
}

}  // namespace srcsel
