// Rules with every selector and every action, and boot-time rules that are missing or moved.

#include <algorithm>

#include "differential/hosts/sketch.hh"

namespace srcsel {
namespace {

using Drawer = std::string (*)(Sketch &, bool v6);

std::string From(Sketch &host, bool v6) {
  static const std::vector<const char *> kPrefixes4 = {"10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/1",
                                                       "10.99.0.1"};
  static const std::vector<const char *> kPrefixes6 = {"fd10::/16", "fd10:1::/32", "::/1",
                                                       "fd99::1", "fe80::/10"};
  if (host.draw.Once(2)) return absl::StrCat(" from ", host.OwnAddress(v6));
  return absl::StrCat(" from ", host.draw.OneOf(v6 ? kPrefixes6 : kPrefixes4));
}

std::string To(Sketch &host, bool v6) {
  return absl::StrCat(" to ", host.Destination(v6));
}

std::string Mark(Sketch &host, bool) {
  static const std::vector<const char *> kMarks = {"1",       "2",       "0x11",     "0x11/0xff",
                                                   "0x1/0xf", "0/0xf00", "0x64/0x64"};
  return absl::StrCat(" fwmark ", host.draw.OneOf(kMarks));
}

std::string Iif(Sketch &host, bool) {
  return absl::StrCat(" iif ", host.draw.Once(3) ? host.AnyLink() : "lo");
}

std::string Oif(Sketch &host, bool) {
  return absl::StrCat(" oif ", host.draw.Once(3) ? "nosuch" : host.AnyLink());
}

std::string Tos(Sketch &host, bool v6) {
  static const std::vector<const char *> kTos = {"0x10", "0x08", "0x18"};
  static const std::vector<const char *> kDscp = {"46",       "0",        "4",       "0x2e/0x3f",
                                                  "0x8/0x38", "0x4/0x1c", "0x2/0x6", "0/0x30"};
  if (!host.draw.Once(3)) return absl::StrCat(" dscp ", host.draw.OneOf(kDscp));
  if (v6 && host.draw.Once(3)) return " tos 0xb8";
  return absl::StrCat(" tos ", host.draw.OneOf(kTos));
}

std::string Proto(Sketch &host, bool) {
  return absl::StrCat(" ipproto ", host.draw.Once(2) ? "tcp" : "udp");
}

// The ports that the kernel chooses from, as a whole or not at all, unless a host is to hide which
// of them it chooses.
std::string Sport(Sketch &host, bool) {
  static const std::vector<const char *> kMasked = {"2000/0xfff0", "5000/0xfffc", "2000/0xff00"};
  static const std::vector<const char *> kKnown = {"1024-32767", "2000", "32768-60999", "5000-5010",
                                                   "61000-65534"};
  static const std::vector<const char *> kSplit = {"40000-50000", "0x8000/0x8001", "32768-45000"};
  if (host.hidden && host.draw.Once(2)) return absl::StrCat(" sport ", host.draw.OneOf(kSplit));
  return absl::StrCat(" sport ", host.draw.OneOf(host.draw.Once(3) ? kKnown : kMasked));
}

std::string Dport(Sketch &host, bool) {
  static const std::vector<const char *> kMasked = {"80/0xfff0", "443/0xfffe", "7777/0xff00",
                                                    "0x1f90/0xfff0"};
  static const std::vector<const char *> kPorts = {"53", "80", "443", "80-443", "1-1024"};
  return absl::StrCat(" dport ", host.draw.OneOf(host.draw.Once(3) ? kPorts : kMasked));
}

std::string Uids(Sketch &host, bool) {
  static const std::vector<const char *> kRanges = {"0-0", "1000-1999", "1000-1000", "1-70000"};
  return absl::StrCat(" uidrange ", host.draw.OneOf(kRanges));
}

std::string Never(Sketch &host) {
  static const std::vector<const char *> kNever = {
      " tun_id 7 table 100", " l3mdev", " iif nosuch table main", " oif nosuch table main"};
  return host.draw.OneOf(kNever);
}

std::string Label(Sketch &host, bool v6) {
  if (!v6) return Dport(host, v6);
  return host.draw.Once(2) ? " flowlabel 0x12" : " flowlabel 0x10/0xf0";
}

std::string Preference(Sketch &host) {
  if (host.draw.Once(20)) return "";
  return absl::StrCat(" pref ",
                      host.draw.Once(20) ? 32766 + host.draw.Below(9) : 10 * host.draw.Below(40));
}

std::string Action(Sketch &host, bool selective) {
  static const std::vector<const char *> kErrors = {" blackhole", " unreachable", " prohibit"};
  static const std::vector<const char *> kTables = {"100", "101",  "102",   "103",
                                                    "104", "main", "local", "999"};
  if (host.draw.Once(10)) return absl::StrCat(" goto ", 10 * host.draw.Below(45));
  if (host.draw.Once(14)) return " nop";
  if (selective && host.draw.Once(7)) return host.draw.OneOf(kErrors);
  std::string words = absl::StrCat(" table ", host.draw.OneOf(kTables));
  if (host.draw.Once(4))
    absl::StrAppend(&words, " suppress_prefixlength ", host.draw.OneOf(std::vector<int>{0, 8, 16}));
  if (host.draw.Once(4)) absl::StrAppend(&words, " suppress_ifgroup ", host.draw.Below(4));
  return words;
}

std::string Selectors(Sketch &host, bool v6) {
  static const std::vector<Drawer> kDrawers = {From,  To,    Mark,  Iif,  Oif,  Tos,
                                               Proto, Sport, Dport, Uids, Label};
  std::vector<Drawer> left = kDrawers;
  std::string words;
  for (unsigned count = host.draw.OneOf(std::vector<unsigned>{0, 1, 1, 1, 1, 2, 2, 3}); count > 0;
       --count) {
    const unsigned which = host.draw.Below(static_cast<unsigned>(left.size()));
    words += left[which](host, v6);
    left.erase(left.begin() + which);
  }
  return words;
}

// Over the rules between, to one that does nothing.
void DrawJump(Sketch &host, bool v6) {
  const unsigned from = 5 * host.draw.Below(30), to = from + 5 * (1 + host.draw.Below(40));
  host.Add(Ip(v6), "rule add", host.draw.Once(2) ? Selectors(host, v6) : "", " pref ", from,
           " goto ", to);
  host.Add(Ip(v6), "rule add pref ", to, " nop");
}

void DrawRule(Sketch &host, bool v6) {
  if (host.draw.Once(14))
    return host.Add(Ip(v6), "rule add", host.draw.Once(3) ? "" : " not", Preference(host),
                    Never(host));
  if (host.draw.Once(6)) return DrawJump(host, v6);
  const std::string selectors = Selectors(host, v6);
  const bool inverted = !selectors.empty() && host.draw.Once(6);
  host.Add(Ip(v6), "rule add", inverted ? " not" : "", selectors, Preference(host),
           Action(host, !selectors.empty()));
}

void ChangeBootRules(Sketch &host, bool v6) {
  switch (host.draw.Below(24)) {
    case 0:
      return host.Add(Ip(v6), "rule del pref 0");
    case 1:
      host.Add(Ip(v6), "rule add pref 200 table local");
      return host.Add(Ip(v6), "rule del pref 0");
    case 2:
      return host.Add(Ip(v6), "rule del pref 32766");
    case 3:
      return host.Add(Ip(v6), "rule del pref 32767");
    default:
      return;
  }
}

}  // namespace

void DrawRules(Sketch &host, bool v6) {
  if (host.hidden && host.draw.Once(2)) return;
  if (!host.draw.Once(12))
    for (unsigned left = 1 + host.draw.Below(14); left > 0; --left) DrawRule(host, v6);
  else
    host.Add(Ip(v6), "rule add iif nosuch table 999");
  ChangeBootRules(host, v6);
}

}  // namespace srcsel
