#include "netfilter/iptables_steps.hh"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_split.h"
#include "netfilter/iptables_matches.hh"

namespace srcsel {
namespace {

// Targets after which the packet is as before, and goes on.
constexpr absl::string_view kTransparent[] = {
    "LOG",      "NFLOG",     "ULOG",     "TRACE",   "AUDIT",      "TCPMSS",
    "CLASSIFY", "SET",       "CHECKSUM", "LED",     "RATEEST",    "TCPOPTSTRIP",
    "TEE",      "IDLETIMER", "TTL",      "SECMARK", "CONNSECMARK"};

const IptablesOption *Find(const IptablesPart &part, absl::string_view key) {
  const auto found = std::ranges::find(part.options, key, &IptablesOption::key);
  return found == part.options.end() ? nullptr : &*found;
}

// "0x64/0xff", the mask optional. The value may have bits outside of it.
std::optional<std::pair<std::uint32_t, std::uint32_t>> ValueAndMask(const IptablesOption &option) {
  if (option.values.size() != 1) return std::nullopt;
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(option.values.front(), absl::MaxSplits('/', 1));
  const auto value = Mark::Parse(parts.first);
  const auto mask = Mark::Parse(parts.second.empty() ? "0xffffffff" : parts.second);
  if (!value.ok() || !mask.ok()) return std::nullopt;
  return std::pair(value->value, mask->value);
}

std::optional<std::uint32_t> MaskOption(const IptablesPart &part, absl::string_view key) {
  const IptablesOption *option = Find(part, key);
  if (option == nullptr) return 0xffffffff;
  const auto mask = ValueAndMask(*option);
  return mask ? std::optional(mask->first) : std::nullopt;
}

// Sets the mark that it reads: keep AND old XOR value.
NfMarkValue Changed(bool of_connection, std::uint32_t keep, std::uint32_t value) {
  return of_connection ? NfMarkValue{0, keep, value} : NfMarkValue{keep, 0, value};
}

std::optional<NfSetMark> SetMark(const IptablesPart &part, bool of_connection) {
  for (const IptablesOption &option : part.options) {
    const auto said = ValueAndMask(option);
    if (!said) continue;
    const auto [value, mask] = *said;
    if (option.key == "--set-xmark")
      return NfSetMark{of_connection, Changed(of_connection, ~mask, value)};
    if (option.key == "--set-mark")
      return NfSetMark{of_connection, Changed(of_connection, ~(mask | value), value)};
    if (option.key == "--or-mark")
      return NfSetMark{of_connection, Changed(of_connection, ~value, value)};
    if (option.key == "--and-mark")
      return NfSetMark{of_connection, Changed(of_connection, value, 0)};
    if (option.key == "--xor-mark")
      return NfSetMark{of_connection, Changed(of_connection, 0xffffffff, value)};
  }
  return std::nullopt;
}

std::optional<NfSetMark> ConnMark(const IptablesPart &part) {
  const bool saves = Find(part, "--save-mark") != nullptr;
  if (!saves && Find(part, "--restore-mark") == nullptr)
    return part.options.size() == 1 ? SetMark(part, true) : std::nullopt;
  constexpr absl::string_view kKnown[] = {"--save-mark", "--restore-mark", "--nfmask", "--ctmask"};
  for (const IptablesOption &option : part.options)
    if (std::ranges::find(kKnown, option.key) == std::end(kKnown)) return std::nullopt;
  const auto packet = MaskOption(part, "--nfmask"), connection = MaskOption(part, "--ctmask");
  if (!packet || !connection) return std::nullopt;
  if (saves) return NfSetMark{true, {*packet, ~*connection, 0}};
  return NfSetMark{false, {~*packet, *connection, 0}};
}

std::optional<NfStep> TargetStep(const IptablesPart &part) {
  if (part.name == "ACCEPT") return NfVerdict{NfVerdictKind::kAccept};
  if (part.name == "DROP" || part.name == "REJECT") return NfVerdict{NfVerdictKind::kDrop};
  if (part.name == "RETURN") return NfVerdict{NfVerdictKind::kReturn};
  if (part.name == "NOTRACK" || (part.name == "CT" && Find(part, "--notrack") != nullptr))
    return NfNoTrack();
  std::optional<NfSetMark> set;
  if (part.name == "MARK" && part.options.size() == 1) set = SetMark(part, false);
  if (part.name == "CONNMARK") set = ConnMark(part);
  if (set) return *set;
  return NfUnknownStatement{part.Words()};
}

}  // namespace

std::vector<NfStep> IptablesSteps(const IptablesLine &line, int family,
                                  const std::set<std::string> &chains, IpSets &sets) {
  std::vector<NfStep> steps;
  for (const IptablesPart &part : line.parts) {
    if (part.kind.empty() || part.kind == "-m") {
      AddIptablesMatches(part, family, sets, steps);
    } else if (chains.contains(part.name)) {
      steps.emplace_back(
          NfVerdict{part.kind == "-g" ? NfVerdictKind::kGoto : NfVerdictKind::kJump, part.name});
    } else {
      const bool transparent =
          std::ranges::find(kTransparent, part.name) != std::end(kTransparent) ||
          (part.name == "CT" && Find(part, "--notrack") == nullptr);
      // What an entry of a set has beside it may become the packet's mark.
      const bool maps = part.name == "SET" && Find(part, "--map-set") != nullptr;
      if (!transparent || maps) steps.push_back(*TargetStep(part));
    }
  }
  return steps;
}

}  // namespace srcsel
