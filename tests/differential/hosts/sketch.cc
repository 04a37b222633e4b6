#include "differential/hosts/sketch.hh"

#include <algorithm>

#include <srcsel/address.hh>

namespace srcsel {
namespace {

std::string Network(const std::string &address, int length) {
  return Prefix{IpAddress::Parse(address).value(), length}.Network().ToString();
}

}  // namespace

unsigned Sketch::NumberOf(const std::string &link) const {
  return static_cast<unsigned>(std::ranges::find(links, link) - links.begin());
}

std::string Sketch::OwnAddress(bool v6) {
  if (own[v6].empty()) return v6 ? "fd99::1" : "10.99.0.1";
  return draw.OneOf(own[v6]);
}

std::string Sketch::Gateway(const std::string &link, bool v6) {
  const unsigned n = NumberOf(link), host = 250 + draw.Below(3);
  if (v6 && draw.Once(6)) return absl::StrCat("fe80::f", host);
  if (v6) return absl::StrCat("fd10:", n, draw.Once(4) ? ":0:1" : "", "::f", host);
  return absl::StrCat("10.", n, draw.Once(4) ? ".1." : ".0.", host);
}

std::string Sketch::Elsewhere(bool v6) {
  if (draw.Once(12)) return v6 ? "2001:db8:9::7" : "198.51.100.7";
  if (v6)
    return absl::StrCat("fd20:", draw.Below(3), ":", draw.Below(3), "000:8000::", draw.Below(9));
  return absl::StrCat("20.", draw.Below(3), ".", draw.Below(4) * 64, ".", draw.Below(256));
}

std::string Sketch::Destination(bool v6) {
  if (draw.Once(6)) return v6 ? "::/0" : "0.0.0.0/0";
  if (draw.Once(8))
    return Network(OwnAddress(v6), v6 ? 128 : 24 + 8 * static_cast<int>(draw.Below(2)));
  static const std::vector<int> kLengths4 = {6, 8, 14, 16, 18, 24, 30, 32};
  static const std::vector<int> kLengths6 = {7, 16, 30, 32, 35, 48, 64, 127, 128};
  return Network(Elsewhere(v6), draw.OneOf(v6 ? kLengths6 : kLengths4));
}

std::string Sketch::Table() {
  static const std::vector<const char *> kTables = {"main", "main", "100", "101",
                                                    "102",  "103",  "104", "default"};
  return absl::StrCat("table ", draw.Once(40) ? "local" : draw.OneOf(kTables));
}

}  // namespace srcsel
