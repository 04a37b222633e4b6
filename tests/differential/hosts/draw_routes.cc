// Routes of every type, in several tables.

#include <algorithm>

#include "differential/hosts/sketch.hh"

namespace srcsel {
namespace {

std::string Via(Sketch &host, bool v6, const std::string &link) {
  const bool other = !v6 && host.draw.Once(10);
  return absl::StrCat(" via ", other ? "inet6 " : "", host.Gateway(link, v6 || other));
}

std::string OneHop(Sketch &host, bool v6) {
  const std::string link = host.AnyLink();
  const bool direct = host.draw.Once(4);
  const std::string onlink = direct || !host.draw.Once(4) ? "" : " onlink";
  return absl::StrCat(direct ? "" : Via(host, v6, link), " dev ", link, onlink);
}

std::string ManyHops(Sketch &host, bool v6) {
  std::string words;
  for (unsigned left = 2 + host.draw.Below(3); left > 0; --left)
    absl::StrAppend(&words, " nexthop", OneHop(host, v6), " weight ", 1 + host.draw.Below(4));
  return words;
}

std::string Object(Sketch &host, bool v6) {
  const bool other = !v6 && !host.nexthops[1].empty() && host.draw.Once(6);
  const std::vector<std::uint32_t> &groups = host.groups[v6 || other];
  const bool any = groups.empty() || host.draw.Once(2);
  return absl::StrCat(" nhid ", host.draw.OneOf(any ? host.nexthops[v6 || other] : groups));
}

// One default of each metric, where which of them is taken is not to be hidden.
std::string Metric(Sketch &host, const std::string &destination) {
  const bool all = destination.ends_with("/0");
  if (all && !host.hidden) return absl::StrCat(" metric ", 1 + host.draw.Below(0xffff));
  return host.draw.Once(3) ? absl::StrCat(" metric ", 1 + host.draw.Below(3)) : "";
}

// A default of host scope would make gateways of host scope, which cannot be seen either.
std::string Terms4(Sketch &host, const std::string &destination, bool object) {
  static const std::vector<const char *> kTos = {"0x10", "0x08", "0x04", "0x10", "0xb8"};
  static const std::vector<const char *> kScopes = {"global", "link", "host", "host"};
  std::string words;
  if (!object && host.draw.Once(6)) absl::StrAppend(&words, " tos ", host.draw.OneOf(kTos));
  if (destination.starts_with("20.") && host.draw.Once(4))
    absl::StrAppend(&words, " scope ", host.draw.OneOf(kScopes));
  return words;
}

std::string Terms6(Sketch &host, bool via) {
  static const std::vector<const char *> kPrefs = {"low", "medium", "high"};
  std::string words;
  if (host.draw.Once(6)) absl::StrAppend(&words, " pref ", host.draw.OneOf(kPrefs));
  // Of those that may share flows, the kernel shows the end of the first alone.
  if (host.draw.Once(8)) absl::StrAppend(&words, " expires ", via || host.draw.Once(2) ? 1000 : 0);
  return words;
}

std::string Source6(Sketch &host) {
  static const std::vector<const char *> kSources = {"fd10::/16",   "fd10:1::/32",   "fe80::/10",
                                                     "fd99::1/128", "2001:db8::/32", "::/1"};
  return host.draw.Once(6) ? absl::StrCat(" from ", host.draw.OneOf(kSources)) : "";
}

std::string Target(Sketch &host, bool v6) {
  if (host.draw.Once(5)) return ManyHops(host, v6);
  if (host.draw.Once(3) && !host.nexthops[v6].empty()) return Object(host, v6);
  return OneHop(host, v6);
}

std::string DrawType(Sketch &host, bool v6) {
  static const std::vector<const char *> kErrors = {"unreachable", "blackhole", "prohibit",
                                                    "throw",       "throw",     "throw"};
  if (host.draw.Once(6)) return host.draw.OneOf(kErrors);
  if (host.draw.Once(20)) return "local";
  if (host.draw.Once(24)) return v6 ? "anycast" : "broadcast";
  if (host.draw.Once(24)) return "multicast";
  return "unicast";
}

// A throw in the local table, or a nexthop object that leaves by another device, ends the search in
// main too, while the two are one.
std::string TableFor(Sketch &host, const std::string &type, bool object) {
  if (type == "local" && host.draw.Once(2)) return "table local";
  std::string table = host.Table();
  while ((type == "throw" || object) && table == "table local") table = host.Table();
  return table;
}

void DrawRoute(Sketch &host, bool v6) {
  static const std::vector<const char *> kVerbs = {"add", "add", "append", "prepend", "replace"};
  const std::string type = DrawType(host, v6);
  std::string destination = host.Destination(v6);
  // Not what gateways are in: how the kernel took a gateway that was local once cannot be seen.
  // Nor where a bound address may be, which were no source then.
  while ((type == "local" || type == "broadcast" || type == "multicast") &&
         !destination.starts_with("20.") && !destination.starts_with("fd20:"))
    destination = host.Destination(v6);
  if (type == "multicast" && host.draw.Once(2)) destination = v6 ? "ff0e::/16" : "239.1.0.0/16";
  const std::string target = type == "unicast" ? Target(host, v6) : "";
  // A nexthop object that flows of one tos cannot use hides what is behind it from them alone.
  const bool object = target.starts_with(" nhid");
  std::string words = absl::StrCat(Ip(v6), "route ", host.draw.OneOf(kVerbs), " ", type, " ",
                                   destination, v6 ? Source6(host) : "",
                                   v6 ? Terms6(host, target.find(" via ") != std::string::npos)
                                      : Terms4(host, destination, object));
  if (host.draw.Once(4)) absl::StrAppend(&words, " src ", host.OwnAddress(v6));
  if (host.draw.Once(12)) absl::StrAppend(&words, " mtu ", 1290 + host.draw.Below(9));
  absl::StrAppend(&words, Metric(host, destination), " ", TableFor(host, type, object));
  if (type == "unicast")
    absl::StrAppend(&words, target);
  else if (type == "local" || type == "broadcast" || type == "anycast" || type == "multicast")
    absl::StrAppend(&words, " dev ", type == "local" && !host.draw.Once(4) ? "lo" : host.AnyLink());
  host.Add(words);
}

}  // namespace

void DrawRoutes(Sketch &host, bool v6) {
  for (unsigned left = 8 + host.draw.Below(20); left > 0; --left) DrawRoute(host, v6);
  for (const char *table : {"main", "100", "101", "102"})
    if (!host.draw.Once(3))
      host.Add(Ip(v6), "route append default", OneHop(host, v6), Metric(host, "/0"), " table ",
               table);
}

}  // namespace srcsel
