#include "draw_nft.hh"

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

enum class Family { kV4, kV6, kBoth };

class NftDrawer {
 public:
  NftDrawer(Dice &dice, bool unknown, const NftCgroup &cgroup)
      : dice_(dice), unknown_(unknown), ways_(dice.OneIn(4)), cgroup_(cgroup) {}

  std::string Table(int number) {
    family_ = dice_.Of<Family>({Family::kV4, Family::kV6, Family::kBoth, Family::kBoth});
    const char *family = family_ == Family::kV4 ? "ip" : family_ == Family::kV6 ? "ip6" : "inet";
    std::string text = absl::StrCat("table ", family, " t", number, " {\n");
    // What is jumped to comes first: nft knows no chains of further down.
    for (int chain = kChains - 1; chain >= 0; --chain)
      absl::StrAppend(&text, " chain c", chain, " {\n", Rules(chain + 1), " }\n");
    absl::StrAppend(&text, Sets());
    const std::size_t bases = 1 + dice_.Below(2);
    for (std::size_t i = 0; i < bases; ++i) {
      const std::string type = dice_.Word({"route", "route", "filter"});
      absl::StrAppend(&text, " chain out", i, " {\n  type ", type, " hook output priority ",
                      -300 + 97 * static_cast<int>(dice_.Below(5)) + 7 * number, "; policy ",
                      dice_.OneIn(12) ? "drop" : "accept", ";\n", Rules(0), " }\n");
    }
    return text + "}\n";
  }

 private:
  static constexpr int kChains = 3;

  // What contradicts itself nft refuses: a rule is about one family and one protocol.
  void BeginRule() {
    v4_ = family_ == Family::kV4 || (family_ == Family::kBoth && dice_.OneIn(2));
    proto_ = dice_.Word({"tcp", "udp", "udp"});
  }

  std::string Address(bool v4) {
    return v4 ? absl::StrCat("198.51.", dice_.Below(3), ".", dice_.Below(6))
              : absl::StrCat("2001:db8::", dice_.Below(3), ":", dice_.Below(6));
  }
  std::string Prefix(bool v4) {
    if (dice_.OneIn(3)) return Address(v4);
    if (v4) return absl::StrCat("198.51.", dice_.Below(3), dice_.OneIn(2) ? ".0/24" : ".4/30");
    return absl::StrCat("2001:db8::", dice_.Below(3), dice_.OneIn(2) ? ":0/112" : ":4/126");
  }
  std::string Port() { return dice_.Word({"53", "80", "443", "1000", "1005"}); }
  std::string Mark() {
    return dice_.Word({"0x1", "0x2", "0x3", "0x10", "0x11", "0x64", "0x100", "0x103", "0x80001"});
  }
  std::string Mask() { return dice_.Word({"0x1", "0x3", "0xf", "0xff", "0xff00", "0xffffff00"}); }

  std::string Sets() {
    std::string text =
        " set ports { type inet_service; flags interval; elements = { 80, 1000-1004 } }\n";
    for (const bool v4 : {true, false}) {
      if (family_ == (v4 ? Family::kV6 : Family::kV4)) continue;
      const char *type = v4 ? "ipv4_addr" : "ipv6_addr", *name = v4 ? "4" : "6";
      const std::string other = v4 ? "198.51.2.1-198.51.2.4" : "2001:db8::2:1-2001:db8::2:4";
      absl::StrAppend(&text, " set s", name, " { type ", type, "; flags interval; elements = { ",
                      v4 ? "198.51.1.0/24" : "2001:db8::1:0/112", ", ", other, " } }\n");
      absl::StrAppend(&text, " set cc", name, " { type ", type,
                      " . inet_proto . inet_service; flags interval; elements = { ",
                      v4 ? "198.51.0.0/24" : "2001:db8::0:0/112", " . udp . 53, ", other,
                      " . tcp . 1-1000 } }\n");
      absl::StrAppend(&text, " map m", name, " { type ", type, " : mark; elements = { ",
                      v4 ? "198.51.0.1" : "2001:db8::0:1", " : 0x1, ",
                      v4 ? "198.51.1.2" : "2001:db8::1:2", " : 0x2, ",
                      v4 ? "198.51.2.3" : "2001:db8::2:3", " : 0x1 } }\n");
    }
    return text +
           " map vm { type inet_service : verdict; elements = { 53 : jump c2, 80 : goto c2, "
           "443 : accept } }\n";
  }

  std::string Match() {
    const bool v4 = v4_;
    const std::string ip = v4 ? "ip" : "ip6", f = v4 ? "4" : "6";
    const std::string no = dice_.OneIn(4) ? "!= " : "";
    if (unknown_ && dice_.OneIn(12))
      return dice_.Word({"limit rate 100/second", "meta random > 100", "meta length 10-100",
                         "meta cpu 0", "th dport 53"});
    // Of all others it is not known who is in a cgroup above that level.
    if (dice_.OneIn(12))
      return absl::StrCat("socket cgroupv2 level ", cgroup_.level,
                          unknown_ && dice_.OneIn(4) ? " != " : " ", "\"", cgroup_.path, "\"");
    if (ways_ && dice_.OneIn(20))
      return absl::StrCat(dice_.Word({"oifname ", "oif "}), no,
                          dice_.Word({"\"u0\"", "\"u1\"", "{ \"u0\", \"lo\" }"}));
    if (ways_ && dice_.OneIn(40)) return absl::StrCat("oifname ", no, "\"u*\"");
    if (ways_ && dice_.OneIn(40))
      return absl::StrCat("oifname . ", ip, " daddr ", no, "{ \"u0\" . ", Address(v4),
                          ", \"u1\" . ", Address(v4), " }");
    // What a hook does not see.
    if (ways_ && dice_.OneIn(30))
      return absl::StrCat(ip, " saddr ", no,
                          v4 ? dice_.Word({"10.9.1.1", "10.9.0.0/23", "{ 10.9.0.1, 10.9.2.1 }"})
                             : dice_.Word({"fd09:1::1", "fd09::/64", "{ fd09::1, fd09:2::1 }"}));
    if (unknown_ && dice_.OneIn(20))
      return absl::StrCat(ip, " dscp . ", ip, " daddr ", no, "{ cs0 . ", Address(v4), ", cs1 . ",
                          Address(v4), ", af11 . ", Address(v4), " }");
    if (dice_.OneIn(15))
      return absl::StrCat(ip, " dscp ", no,
                          dice_.Word({"cs0", "af11", "{ cs0, cs1 }", "{ ef, af11 }"}));
    if (dice_.OneIn(15))
      return absl::StrCat("meta cgroup ", no,
                          dice_.Word({"0", "0x10001", "0x10000-0x1ffff", "{ 1, 0x10001 }"}));
    switch (dice_.Below(17)) {
      case 0:
      case 1:
        return absl::StrCat(ip, " daddr ", no, Prefix(v4));
      case 2:
        return absl::StrCat(ip, " daddr ", no, "{ ", Address(v4), ", ",
                            v4 ? "198.51.1.0/24" : "2001:db8::1:0/112", " }");
      case 3:
        return absl::StrCat(ip, " daddr ", no, "@s", f);
      case 4:
        return absl::StrCat(ip, " daddr . meta l4proto . th dport ", no, "@cc", f);
      case 5:
        return absl::StrCat(proto_, " dport ", no, Port());
      case 6:
        return absl::StrCat(proto_, " dport ", no,
                            dice_.Word({"@ports", "{ 53, 1000-1005 }", "1000-2000"}));
      case 7:
        return absl::StrCat("meta l4proto { tcp, udp } th dport ", no, Port());
      case 8:
        return absl::StrCat("meta l4proto ", dice_.OneIn(2) ? proto_ : no + "{ tcp, udp }");
      case 9:
        return absl::StrCat("meta skuid ", no, dice_.Word({"1000", "0-1000", "{ 0, 2000 }"}));
      case 10:
        return absl::StrCat("meta skgid ", no, dice_.Word({"5", "{ 5, 6 }"}));
      case 11:
        return absl::StrCat("meta mark ", no,
                            dice_.Word({"0", "0x1", "0x1-0x11", "{ 0x1, 0x64 }"}));
      case 12:
        return absl::StrCat("meta mark and ", Mask(),
                            dice_.OneIn(2) ? " == " : " != ", dice_.Word({"0", "0", "0x1", "0x2"}));
      case 13:
        return dice_.Word({"ct state new", "ct state established,related",
                           "ct state { new, untracked }", "ct state != new", "ct state invalid"});
      case 14:
        return absl::StrCat("ct mark ", no, dice_.Word({"0", "0x1", "0x64"}));
      case 15:
        if (!ways_) return "ct mark 0";
        return absl::StrCat("oifname ", no, "\"lo\"");
      default:
        return absl::StrCat("fib daddr type ", no, "{ local, broadcast, multicast }");
    }
  }

  std::string Statement(int next) {
    const bool v4 = v4_;
    const std::string ip = v4 ? "ip" : "ip6", f = v4 ? "4" : "6";
    if (unknown_ && dice_.OneIn(15))
      return absl::StrCat(ip, dice_.OneIn(2) ? " dscp set cs1" : " daddr set " + Address(v4));
    if (dice_.OneIn(40))
      return absl::StrCat("meta mark set ", ip, " dscp map { cs0 : 0x1, cs1 : 0x2, ef : 0x3 }");
    if (next < kChains && dice_.OneIn(40))
      return absl::StrCat("meta cgroup vmap { 0 : jump c", next, ", 0x10001 : accept }");
    if (next < kChains && dice_.OneIn(40))
      return absl::StrCat(ip, " dscp vmap { af11 : jump c", next, ", ef : accept }");
    switch (dice_.Below(17)) {
      case 0:
      case 1:
      case 2:
        return absl::StrCat("meta mark set ", Mark());
      case 3:
        return absl::StrCat("meta mark set meta mark or ", Mark());
      case 4:
        return absl::StrCat("meta mark set meta mark and ", Mask());
      case 5:
        return absl::StrCat("meta mark set meta mark xor ", Mark());
      case 6:
        return absl::StrCat("meta mark set meta mark and ", Mask(), " or ", Mark());
      case 7:
        return dice_.Word(
            {"ct mark set meta mark", "ct mark set 0x2", "ct mark set ct mark or 0x1"});
      case 8:
        return dice_.Word({"meta mark set ct mark", "meta mark set ct mark and 0xff or 0x10"});
      case 9:
        return absl::StrCat("meta mark set ", ip, " daddr map @m", f);
      case 10:
        return absl::StrCat("meta mark set ", proto_,
                            " dport map { 53 : 0x1, 80 : 0x2, 1000-1005 : 0x3 }");
      case 11:
        if (next < kChains && next <= 2)
          return absl::StrCat(proto_, " dport vmap { 80 : jump c", next, ", 443 : drop }");
        return "meta mark vmap { 0 : return, 1-5 : accept }";
      case 12:
        if (next == 0) return proto_ + " dport vmap @vm";
        return "return";
      case 13:
        if (next >= kChains) return "accept";
        return absl::StrCat(dice_.Word({"jump c", "goto c"}), next + dice_.Below(kChains - next));
      case 14:
        return dice_.Word({"accept", "return", "return", "drop", "reject"});
      case 15:
        if (!ways_) return "accept";
        return "meta mark set oifname map { \"u0\" : 0x1, \"u1\" : 0x2, \"u2\" : 0x3 }";
      default:
        if (next >= kChains) return "counter";
        return absl::StrCat("counter jump c", next + dice_.Below(kChains - next));
    }
  }

  // Of a chain that may lead to those from `next` on.
  std::string Rules(int next) {
    std::string text;
    for (std::size_t left = 1 + dice_.Below(4); left > 0; --left) {
      text += "  ";
      BeginRule();
      for (std::size_t matches = dice_.Below(3); matches > 0; --matches)
        absl::StrAppend(&text, Match(), " ");
      if (dice_.OneIn(6)) text += "counter ";
      // What follows a verdict nft refuses.
      if (dice_.OneIn(8))
        absl::StrAppend(&text, "meta mark set meta mark xor ", Mark(), " ", Match(), " ");
      text += Statement(next);
      text += "\n";
    }
    return text;
  }

  Dice &dice_;
  const bool unknown_;
  const bool ways_;  // matches devices and sources, which takes long to work out
  const NftCgroup cgroup_;
  Family family_ = Family::kBoth;
  bool v4_ = true;
  std::string proto_;
};

}  // namespace

std::string DrawNft(Dice &dice, bool unknown, const NftCgroup &cgroup) {
  std::string text;
  NftDrawer drawer(dice, unknown, cgroup);
  for (int tables = 1 + static_cast<int>(dice.Below(2)), i = 0; i < tables; ++i)
    text += drawer.Table(i);
  return text;
}

}  // namespace srcsel
