#include "policy/words.hh"

#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/iproute_names.hh"
#include "base/status.hh"
#include "base/unmapped.hh"

namespace srcsel {
namespace {

constexpr std::size_t kCommBytes = 15;

template <typename... Parts>
absl::Status Wrong(absl::string_view word, const Parts &...parts) {
  return absl::InvalidArgumentError(absl::StrCat("'", word, "' ", parts...));
}

template <typename T>
std::optional<T> NumberOf(absl::string_view text, int base) {
  T number;
  const char *end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

// Decimal, or hexadecimal after 0x.
template <typename T>
std::optional<T> NumberOf(absl::string_view text) {
  const int base = absl::ConsumePrefix(&text, "0x") ? 16 : 10;
  return NumberOf<T>(text, base);
}

std::optional<std::uint32_t> ClassOf(absl::string_view word) {
  const std::size_t colon = word.find(':');
  if (colon == absl::string_view::npos) return NumberOf<std::uint32_t>(word);
  const auto major = NumberOf<std::uint16_t>(word.substr(0, colon), 16),
             minor = NumberOf<std::uint16_t>(word.substr(colon + 1), 16);
  if (!major || !minor) return std::nullopt;
  return std::uint32_t{*major} << 16 | *minor;
}

bool IsNumeric(absl::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
  });
}

template <typename Range>
absl::StatusOr<Range> RangeOf(absl::string_view word, absl::string_view accepted) {
  using Number = decltype(Range::first);
  const std::size_t dash = word.find('-');
  const auto first = NumberOf<Number>(word.substr(0, dash));
  const auto last =
      dash == absl::string_view::npos ? first : NumberOf<Number>(word.substr(dash + 1));
  if (!first || !last) return Wrong(word, "is not ", accepted);
  if (*first > *last) return Wrong(word, "ends before it begins: write ", *last, "-", *first);
  return Range{*first, *last};
}

// The number that a database of users or groups has for a name.
using NumberOfName = std::optional<std::uint32_t> (*)(const std::string &);

absl::StatusOr<Range32> IdsOf(absl::string_view word, absl::string_view what,
                              NumberOfName number_of) {
  if (IsNumeric(word))
    return RangeOf<Range32>(word, absl::StrCat("a number or a range of ", what,
                                               "s: 0 to 4294967295, as in 1000 or 1000-1999"));
  if (const auto number = number_of(std::string(word))) return Range32{*number, *number};
  return Wrong(word, "is no ", what,
               " of this host; a name, a number or a range is accepted, as in ", "1000-1999");
}

}  // namespace

absl::StatusOr<Prefix> PrefixOfWord(absl::string_view word) {
  absl::StatusOr<Prefix> prefix = Prefix::Parse(word);
  if (!prefix.ok()) {
    if (absl::StrContains(word, '/') && IpAddress::Parse(word.substr(0, word.find('/'))).ok())
      return prefix.status();
    return Wrong(word, "is not a prefix: 10.0.0.0/8, fd00::/8, or an address alone");
  }
  const Prefix network = prefix->Network(), plain = Unmapped(network);
  if (plain != network)
    return Wrong(word, "is an IPv4 prefix in IPv6: write ", plain.ToString(),
                 ", which holds for IPv6 sockets that connect there too");
  if (network == *prefix) return prefix;
  return Wrong(word, "has host bits: write ", network.ToString(), " or ",
               prefix->address.ToString());
}

absl::StatusOr<std::uint8_t> ProtocolOfWord(absl::string_view word) {
  // Not every host has /etc/protocols.
  constexpr std::pair<absl::string_view, std::uint8_t> kKnown[] = {
      {"tcp", IPPROTO_TCP},   {"udp", IPPROTO_UDP},          {"icmp", IPPROTO_ICMP},
      {"sctp", IPPROTO_SCTP}, {"ipv6-icmp", IPPROTO_ICMPV6}, {"icmpv6", IPPROTO_ICMPV6},
      {"dccp", IPPROTO_DCCP}, {"udplite", IPPROTO_UDPLITE}};
  for (const auto &[name, number] : kKnown)
    if (name == word) return number;
  if (const auto number = NumberOf<std::uint8_t>(word); number && *number != 0) return *number;
  const std::string name(word);
  protoent *found = IsNumeric(word) ? nullptr : getprotobyname(name.c_str());
  if (found != nullptr && found->p_proto > 0 && found->p_proto <= 255)
    return static_cast<std::uint8_t>(found->p_proto);
  return Wrong(word, "is no protocol: a name as in /etc/protocols or a number from 1 to 255");
}

absl::StatusOr<Range16> PortsOfWord(absl::string_view word) {
  constexpr absl::string_view kAccepted =
      "a port or a range of ports: 1 to 65535, as in 443 or 8000-8099";
  absl::StatusOr<Range16> ports = RangeOf<Range16>(word, kAccepted);
  if (ports.ok() && ports->first == 0) return Wrong(word, "is not ", kAccepted);
  return ports;
}

absl::StatusOr<Range32> UsersOfWord(absl::string_view word) {
  return IdsOf(word, "user", [](const std::string &name) -> std::optional<std::uint32_t> {
    const passwd *user = getpwnam(name.c_str());
    return user == nullptr ? std::nullopt : std::optional(user->pw_uid);
  });
}

absl::StatusOr<Range32> GroupsOfWord(absl::string_view word) {
  return IdsOf(word, "group", [](const std::string &name) -> std::optional<std::uint32_t> {
    const group *found = getgrnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
  });
}

absl::StatusOr<Range32> ClassesOfWord(absl::string_view word) {
  const std::size_t dash = word.find('-');
  const auto first = ClassOf(word.substr(0, dash));
  const auto last = dash == absl::string_view::npos ? first : ClassOf(word.substr(dash + 1));
  if (!first || !last)
    return Wrong(word,
                 "is not a class of net_cls: MAJOR:MINOR in hexadecimal as tc has it, a number, or "
                 "a range, as in 10:1, 0x100001 or 10:1-10:f");
  if (*first > *last)
    return Wrong(word, "ends before it begins: write ", word.substr(dash + 1), "-",
                 word.substr(0, dash));
  return Range32{*first, *last};
}

std::string ClassWord(std::uint32_t classid) {
  return absl::StrFormat("%x:%x", classid >> 16, classid & 0xffff);
}

absl::StatusOr<Cgroup> CgroupOfWord(absl::string_view word) {
  for (absl::string_view mount : {"/sys/fs/cgroup/unified/", "/sys/fs/cgroup/"}) {
    absl::string_view path = word;
    if (absl::ConsumePrefix(&path, mount))
      return Wrong(word, "is a path of the file system: say it from the root of the hierarchy, /",
                   path);
  }
  if (!absl::StartsWith(word, "/") || absl::StrContains(word, '\0'))
    return Wrong(word,
                 "is not a cgroup: a path from the root of the hierarchy, as in "
                 "/system.slice/backup.service");
  const std::vector<absl::string_view> names = absl::StrSplit(word, '/', absl::SkipEmpty());
  for (absl::string_view name : names)
    if (name == "." || name == "..") return Wrong(word, "is not a cgroup: '", name, "' is no name");
  return Cgroup{absl::StrCat("/", absl::StrJoin(names, "/")), 0,
                static_cast<std::uint32_t>(names.size())};
}

absl::StatusOr<std::string> CommOfWord(absl::string_view word) {
  if (word.empty()) return Wrong(word, "is no command name: 1 to ", kCommBytes, " bytes");
  if (word.size() > kCommBytes)
    return Wrong(word, "has ", word.size(), " bytes, and the kernel keeps ", kCommBytes,
                 " of a command's name: write '", word.substr(0, kCommBytes), "'");
  if (absl::StrContains(word, '\0')) return Wrong(word, "is no command name: it has a zero byte");
  return std::string(word);
}

absl::StatusOr<Mark> MarkOfWord(absl::string_view word) {
  SRCSEL_ASSIGN_OR_RETURN(const Mark mark, Mark::Parse(word));
  if (mark.value == 0)
    return absl::InvalidArgumentError("mark 0 is what every socket has; choose another");
  return mark;
}

absl::StatusOr<Mark> IfMarkOfWord(absl::string_view word) {
  SRCSEL_ASSIGN_OR_RETURN(const Mark mark, Mark::Parse(word));
  if (mark.mask == 0) return Wrong(word, "fits every mark: leave the key out, or give a mask");
  return mark;
}

absl::StatusOr<std::uint32_t> TableOfWord(absl::string_view word) {
  if (const auto number = NumberOf<std::uint32_t>(word); number && *number != 0) return *number;
  static const IprouteNames names = IprouteNames::Tables();
  if (const auto number = names.NumberOf(word); number && *number != 0) return *number;
  return Wrong(word,
               "is no routing table: a name as in /etc/iproute2/rt_tables or a number from 1 to "
               "4294967295");
}

absl::StatusOr<Source> SourceOfWord(absl::string_view word, absl::string_view nor) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(word, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (words.size() == 2 && words[0] == "dev") {
    if (words[1].size() >= IFNAMSIZ)
      return Wrong(words[1], "is no name of an interface: at most ", IFNAMSIZ - 1, " bytes");
    return DeviceSource{std::string(words[1])};
  }
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(absl::StripAsciiWhitespace(word));
  if (!address.ok()) return Wrong(word, "is neither an address nor \"dev INTERFACE\"", nor);
  if (address->IsV4Mapped())
    return Wrong(word, "is an IPv4 address: write ", word.substr(word.rfind(':') + 1));
  return *address;
}

absl::Status CheckTogether(const std::vector<Source> &sources) {
  for (std::size_t i = 0; i < sources.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const auto *a = std::get_if<IpAddress>(&sources[j]), *b = std::get_if<IpAddress>(&sources[i]);
      if (a == nullptr || b == nullptr)
        return absl::InvalidArgumentError(
            absl::StrCat(ToString(sources[j]), " and ", ToString(sources[i]),
                         ": an interface lends both families; give it alone"));
      if (a->family() == b->family())
        return absl::InvalidArgumentError(absl::StrCat("two sources of one family: ", a->ToString(),
                                                       " and ", b->ToString(),
                                                       "; give at most one address a family"));
    }
  return absl::OkStatus();
}

std::string ToString(const Source &source) {
  if (const auto *device = std::get_if<DeviceSource>(&source))
    return absl::StrCat("dev ", device->name);
  return std::get<IpAddress>(source).ToString();
}

}  // namespace srcsel
