#include "route_words.hh"

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/iproute_names.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

absl::Status Wrong(absl::string_view word, absl::string_view value, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(word, " ", value, ": ", expected));
}

// base 0: as in C.
absl::StatusOr<std::uint32_t> Number(absl::string_view word, const std::string &text,
                                     std::uint32_t last, int base = 0) {
  errno = 0;
  char *end = nullptr;
  const unsigned long long number = std::strtoull(text.c_str(), &end, base);
  if (!absl::ascii_isxdigit(text[0]) || *end != '\0' || errno != 0 || number > last)
    return Wrong(word, text, absl::StrCat("give a number from 0 to ", last));
  return static_cast<std::uint32_t>(number);
}

// An address alone or, as `ip` allows, with its full length behind it.
absl::StatusOr<IpAddress> Address(absl::string_view word, const std::string &text) {
  const absl::StatusOr<Prefix> prefix = Prefix::Parse(text);
  if (!prefix.ok() || prefix->length != prefix->address.bits())
    return Wrong(word, text, "give an IPv4 or IPv6 address");
  return prefix->address;
}

struct RouteQuestion {
  Flow flow;
  bool to = false, from = false, ipproto = false;
};

absl::Status SetFrom(const std::string &value, RouteQuestion &asked) {
  SRCSEL_ASSIGN_OR_RETURN(asked.flow.source, Address("from", value));
  asked.from = true;
  return absl::OkStatus();
}

absl::Status SetIif(const std::string &value, RouteQuestion &) {
  if (value == "lo") return absl::OkStatus();
  return Wrong("iif", value,
               "this asks for forwarded packets, which srcsel does not mirror; leave iif out, or "
               "say iif lo: packets of this host");
}

absl::Status SetOif(const std::string &value, RouteQuestion &asked) {
  asked.flow.oif = if_nametoindex(value.c_str());
  if (asked.flow.oif == 0)
    return Wrong("oif", value, "there is no such interface here; `ip link` shows those there are");
  return absl::OkStatus();
}

absl::Status SetMark(const std::string &value, RouteQuestion &asked) {
  SRCSEL_ASSIGN_OR_RETURN(asked.flow.mark, Number("mark", value, 0xffffffff));
  return absl::OkStatus();
}

absl::Status SetUid(const std::string &value, RouteQuestion &asked) {
  SRCSEL_ASSIGN_OR_RETURN(asked.flow.uid, Number("uid", value, 0xfffffffe));
  return absl::OkStatus();
}

absl::Status SetProto(const std::string &value, RouteQuestion &asked) {
  asked.ipproto = true;
  if (const protoent *known = getprotobyname(value.c_str())) {
    asked.flow.proto = static_cast<std::uint8_t>(known->p_proto);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::uint32_t> number = Number("ipproto", value, 255);
  if (!number.ok()) return Wrong("ipproto", value, "give tcp, udp, icmp, ipv6-icmp or a number");
  asked.flow.proto = static_cast<std::uint8_t>(*number);
  return absl::OkStatus();
}

absl::Status SetSport(const std::string &value, RouteQuestion &asked) {
  SRCSEL_ASSIGN_OR_RETURN(const std::uint32_t port, Number("sport", value, 65535));
  asked.flow.sport = static_cast<std::uint16_t>(port);
  return absl::OkStatus();
}

absl::Status SetDport(const std::string &value, RouteQuestion &asked) {
  SRCSEL_ASSIGN_OR_RETURN(const std::uint32_t port, Number("dport", value, 65535));
  asked.flow.dport = static_cast<std::uint16_t>(port);
  return absl::OkStatus();
}

absl::Status SetTos(const std::string &value, RouteQuestion &asked) {
  std::optional<std::uint32_t> tos = IprouteNames::DsFields().NumberOf(value);
  if (!tos) {
    const absl::StatusOr<std::uint32_t> number = Number("tos", value, 0xff, 16);
    if (!number.ok())
      return Wrong("tos", value, "give a hexadecimal number from 0 to ff, or a name like AF11");
    tos = *number;
  }
  asked.flow.tos = static_cast<std::uint8_t>(*tos);
  return absl::OkStatus();
}

absl::Status SetFlowLabel(const std::string &value, RouteQuestion &asked) {
  SRCSEL_ASSIGN_OR_RETURN(asked.flow.label, Number("flowlabel", value, 0xfffff));
  return absl::OkStatus();
}

absl::Status SetTo(const std::string &value, RouteQuestion &asked) {
  if (asked.to)
    return absl::InvalidArgumentError(absl::StrCat(
        "two destinations: ", asked.flow.destination.ToString(), " and ", value, "; ask for one"));
  SRCSEL_ASSIGN_OR_RETURN(asked.flow.destination, Address("to", value));
  asked.to = true;
  return absl::OkStatus();
}

struct Word {
  WordHelp told;
  absl::Status (*set)(const std::string &value, RouteQuestion &asked);
};

constexpr Word kWords[] = {
    {{"to", "ADDR", "the destination; \"to\" may be left out"}, SetTo},
    {{"from", "A", "the source the socket is bound to"}, SetFrom},
    {{"oif", "IF", "the interface it is bound to"}, SetOif},
    {{"dev", "IF", ""}, SetOif},
    {{"mark", "M", "of the socket"}, SetMark},
    {{"uid", "U", "of the socket; yours if left out"}, SetUid},
    {{"ipproto", "P", "tcp, udp, icmp, ipv6-icmp"}, SetProto},
    {{"sport", "S", "its port"}, SetSport},
    {{"dport", "D", "the destination's port"}, SetDport},
    {{"tos", "T", "hexadecimal, or a name like AF11"}, SetTos},
    {{"dsfield", "T", ""}, SetTos},
    {{"flowlabel", "L", "of IPv6"}, SetFlowLabel},
    {{"iif", "lo",
      "packets of this host: what is asked anyway. Any other interface would ask for\n"
      "forwarded packets, which are not mirrored"},
     SetIif},
};

// What the kernel looks up no routes for, it has no answer to.
absl::Status CheckProto(const RouteQuestion &asked) {
  const bool v4 = asked.flow.destination.is_v4();
  switch (asked.flow.proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
      return absl::OkStatus();
    case IPPROTO_ICMP:
      if (v4) return absl::OkStatus();
      break;
    case IPPROTO_ICMPV6:
      if (!v4) return absl::OkStatus();
      break;
    default:
      break;
  }
  return Wrong("ipproto", absl::StrCat(static_cast<int>(asked.flow.proto)),
               absl::StrCat("for ", v4 ? "IPv4 give tcp, udp or icmp" : "IPv6 give tcp, udp or ",
                            v4 ? "" : "ipv6-icmp", "; `ip route get` knows no other"));
}

absl::StatusOr<Flow> Finish(RouteQuestion asked) {
  Flow &flow = asked.flow;
  if (!asked.to) return absl::InvalidArgumentError("no destination: give ADDR [WORD VALUE]...");
  if (!asked.from) flow.source = IpAddress::Any(flow.destination.family());
  if (flow.source.family() != flow.destination.family())
    return Wrong("from", flow.source.ToString(),
                 absl::StrCat("of another family than ", flow.destination.ToString()));
  if (flow.label != 0 && flow.destination.is_v4())
    return Wrong("flowlabel", absl::StrCat(flow.label), "only IPv6 has flow labels");
  if (asked.ipproto) SRCSEL_RETURN_IF_ERROR(CheckProto(asked));
  return flow;
}

}  // namespace

absl::StatusOr<Flow> FlowOfWords(const std::vector<std::string> &words,
                                 absl::Span<const WordHelp> besides) {
  RouteQuestion asked;
  asked.flow.uid = getuid();
  asked.flow.oif_strict = false;
  for (auto word = words.begin(); word != words.end(); ++word) {
    const auto *known = std::ranges::find(kWords, absl::string_view(*word),
                                          [](const Word &w) { return w.told.name; });
    if (known == std::end(kWords)) {
      if (!Prefix::Parse(*word).ok())
        return absl::InvalidArgumentError(
            absl::StrCat("'", *word, "' is neither an address nor one of the words ",
                         absl::StrJoin(NamesOf(FlowWords(besides)), ", ")));
      SRCSEL_RETURN_IF_ERROR(SetTo(*word, asked));
      continue;
    }
    if (std::next(word) == words.end() || std::next(word)->empty())
      return absl::InvalidArgumentError(absl::StrCat(*word, ": a value is missing behind it"));
    SRCSEL_RETURN_IF_ERROR(known->set(*++word, asked));
  }
  if (!asked.ipproto) asked.flow.proto = asked.flow.destination.is_v4() ? IPPROTO_UDP : 0;
  return Finish(asked);
}

std::vector<WordHelp> FlowWords(absl::Span<const WordHelp> besides) {
  std::vector<WordHelp> words;
  for (const Word &word : kWords) words.push_back(word.told);
  words.insert(words.end(), besides.begin(), besides.end());
  return words;
}

std::vector<std::string> NamesOf(absl::Span<const WordHelp> words) {
  std::vector<std::string> names;
  for (const WordHelp &word : words) names.emplace_back(word.name);
  return names;
}

std::string HelpOf(absl::Span<const WordHelp> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string said = absl::StrCat(words[i].name, " ", words[i].value);
    absl::string_view help = words[i].help;
    for (; i + 1 < words.size() && words[i + 1].help.empty(); ++i)
      absl::StrAppend(&said, ", ", words[i + 1].name, " ", words[i + 1].value);
    for (const absl::string_view line : absl::StrSplit(help, '\n'))
      absl::StrAppendFormat(&text, "  %-20s %s\n", std::exchange(said, ""), line);
  }
  return text;
}

}  // namespace srcsel
