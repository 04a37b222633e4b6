// Addresses of every kind, on every link and on lo, and address labels.

#include "differential/hosts/sketch.hh"

namespace srcsel {
namespace {

std::string Lifetime(Sketch &host) {
  return host.draw.Once(6) ? " preferred_lft 0 valid_lft forever" : "";
}

void Add(Sketch &host, bool v6, const std::string &address, const std::string &words) {
  host.Add("ip addr add ", address, words);
  host.own[v6].push_back(address.substr(0, address.find('/')));
}

void DrawIpv4(Sketch &host, const std::string &link) {
  const unsigned n = host.NumberOf(link);
  const std::string dev = absl::StrCat(" dev ", link);
  for (unsigned left = host.draw.Below(4); left > 0; --left) {
    const std::string net = absl::StrCat("10.", n, host.draw.Once(3) ? ".1." : ".0.");
    const std::string address = absl::StrCat(net, 1 + host.draw.Below(5));
    switch (host.draw.Below(10)) {
      case 0:
        Add(host, false, absl::StrCat("10.", n, ".2.", host.draw.Below(4), "/32"),
            absl::StrCat(dev, host.draw.Once(2) ? " scope link" : ""));
        break;
      case 1:
        Add(host, false, absl::StrCat("10.", n, ".3.1"),
            absl::StrCat(" peer ", net, 240 + host.draw.Below(3), host.draw.Once(2) ? "/24" : "",
                         dev));
        break;
      case 2:
        Add(host, false, absl::StrCat("10.", n, ".4.1/24"), absl::StrCat(dev, " scope host"));
        break;
      case 3:
        Add(host, false, address + "/28", dev + Lifetime(host));
        break;
      case 4:
        Add(host, false, absl::StrCat("10.", n, ".5.1/24"), absl::StrCat(dev, " scope link"));
        break;
      default:
        Add(host, false, address + "/24",
            absl::StrCat(host.draw.Once(2) ? " brd +" : "", dev, Lifetime(host)));
    }
  }
}

std::string DrawText6(Sketch &host, unsigned n) {
  const unsigned one = 1 + host.draw.Below(5);
  switch (host.draw.Below(12)) {
    case 0:
      return absl::StrCat("2001:db8:", n, "::", one, "/64");
    case 1:
      return absl::StrCat("2001:10::", one, "/64");
    case 2:
      return absl::StrCat("2002:", n, "::", one, "/48");
    case 3:
      return absl::StrCat("fec0:0:0:", n, "::", one, "/64");
    case 4:
    case 5:
      return absl::StrCat("fe80::", n, ":", one, "/64");
    case 6:
      return absl::StrCat("fd10:", n, ":2::", one, "/128");
    case 7:
      return absl::StrCat("fd10:", n, ":0:1::", one, "/64");
    case 8:
      return absl::StrCat("fd20:", n, "::", one, "/96");
    default:
      return absl::StrCat("fd10:", n, "::", one, "/64");
  }
}

void DrawIpv6(Sketch &host, const std::string &link) {
  const unsigned n = host.NumberOf(link);
  for (unsigned left = host.draw.Below(4); left > 0; --left) {
    const std::string words = absl::StrCat(" dev ", link, host.draw.Once(12) ? "" : " nodad",
                                           host.draw.Once(8) ? " noprefixroute" : "",
                                           host.draw.Once(3) ? " mngtmpaddr" : "");
    if (host.draw.Once(12))
      Add(host, true, absl::StrCat("fd10:", n, ":3::1"),
          absl::StrCat(" peer fd10:", n, ":3::2/64", words));
    else
      Add(host, true, DrawText6(host, n), words + Lifetime(host));
  }
}

void DrawLoopback(Sketch &host) {
  if (host.draw.Once(2)) Add(host, false, "10.99.0.1/32", " dev lo");
  if (host.draw.Once(6)) Add(host, false, "10.99.1.1/24", " dev lo scope host");
  if (host.draw.Once(2)) Add(host, true, "fd99::1/128", " dev lo nodad");
}

void DrawLabels(Sketch &host) {
  static const std::vector<const char *> kPrefixes = {"fd10::/16",     "fd20::/16", "fd10:1::/32",
                                                      "2001:db8::/32", "fe80::/10", "fd20:1::/32"};
  while (host.draw.Once(2))
    host.Add("ip addrlabel add prefix ", host.draw.OneOf(kPrefixes), " label ",
             1 + host.draw.Below(6),
             host.draw.Once(3) ? absl::StrCat(" dev ", host.AnyLink()) : "");
}

}  // namespace

void DrawAddresses(Sketch &host) {
  DrawLoopback(host);
  if (host.draw.Once(20)) return;
  for (const std::string &link : host.links) {
    DrawIpv4(host, link);
    DrawIpv6(host, link);
  }
  DrawLabels(host);
}

}  // namespace srcsel
