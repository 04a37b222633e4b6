// The words of public types: a flow as `ip route get` would be asked, the reasons for doubt.

#include "absl/strings/str_cat.h"
#include <srcsel/flow.hh>
#include <srcsel/selection.hh>

namespace srcsel {

std::string Flow::ToString() const {
  std::string text = destination.ToString();
  const auto add = [&](const char *word, const auto &value) {
    absl::StrAppend(&text, " ", word, " ", value);
  };
  if (!source.IsUnspecified()) add("from", source.ToString());
  if (oif) add("oif", oif);
  if (mark) add("mark", mark);
  add("uid", uid);
  add("ipproto", static_cast<int>(proto));
  if (sport) add("sport", sport);
  if (dport) add("dport", dport);
  if (tos) add("tos", absl::StrCat("0x", absl::Hex(tos)));
  if (label) add("flowlabel", label);
  return text;
}

absl::string_view AmbiguityWord(Ambiguity ambiguity) {
  switch (ambiguity) {
    case Ambiguity::kNone:
      return "exact";
    case Ambiguity::kMerged:
      return "merged";
    case Ambiguity::kHash:
      return "hash";
    case Ambiguity::kRotation:
      return "rotation";
    case Ambiguity::kNexthop:
      return "nexthop";
    case Ambiguity::kDevices:
      return "devices";
    case Ambiguity::kPort:
      return "port";
    case Ambiguity::kVrf:
      return "vrf";
    case Ambiguity::kRules:
      return "rules";
    case Ambiguity::kRoutes:
      return "routes";
  }
  return "?";
}

absl::string_view AmbiguityText(Ambiguity ambiguity) {
  switch (ambiguity) {
    case Ambiguity::kNone:
      return "nothing is hidden";
    case Ambiguity::kMerged:
      return "until the first change of its ip rules a namespace looks up the local and main "
             "tables "
             "as one, and the kernel does not show whether there was one";
    case Ambiguity::kHash:
      return "the route has several paths, chosen by a hash whose seed is secret or whose source "
             "port is not chosen yet";
    case Ambiguity::kRotation:
      return "several default routes take turns, by a memory that the kernel does not show";
    case Ambiguity::kNexthop:
      return "a nexthop keeps the source that was chosen when its route was made, or, of a nexthop "
             "object, for whichever of its routes was used first";
    case Ambiguity::kDevices:
      return "another device lends the address, and the order of devices is not known";
    case Ambiguity::kPort:
      return "ip rules select by the source port, which is not chosen yet";
    case Ambiguity::kVrf:
      return "VRFs are not mirrored";
    case Ambiguity::kRules:
      return "an ip rule finds its source itself, or rules the kernel starts with are missing";
    case Ambiguity::kRoutes:
      return "of IPv6 routes that were added one by one and share flows the kernel shows one "
             "source, and not all that stands between them; nor whether it still finds a route for "
             "certain sources";
  }
  return "?";
}

}  // namespace srcsel
