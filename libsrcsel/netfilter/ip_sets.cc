#include "netfilter/ip_sets.hh"

#include <netinet/in.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "netfilter/nft_values.hh"
#include "netfilter/numbers.hh"
#include "netfilter/run_program.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

using Part = IpSet::Part;
using Words = std::vector<absl::string_view>;

// Sets may hold sets, one level deep.
constexpr int kNesting = 2;

std::optional<std::vector<Part>> PartsOf(absl::string_view type) {
  if (type == "hash:ip" || type == "hash:net" || type == "bitmap:ip") return {{Part::kAddress}};
  if (type == "hash:ip,port" || type == "hash:net,port") return {{Part::kAddress, Part::kPort}};
  if (type == "bitmap:port") return {{Part::kPort}};
  return std::nullopt;
}

// The word after `key`; empty if there is none.
absl::string_view After(const Words &words, absl::string_view key) {
  const auto found = std::ranges::find(words, key);
  return found == words.end() || std::next(found) == words.end() ? "" : *std::next(found);
}

// Reads one set's lines.
class Parser {
 public:
  IpSet Parse(absl::string_view saved) {
    bool created = false;
    for (absl::string_view line : absl::StrSplit(saved, '\n', absl::SkipEmpty())) {
      const Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
      if (words.size() >= 3 && words[0] == "create")
        created = Create(words);
      else if (words.size() >= 3 && words[0] == "add")
        Add(words);
      else
        GiveUp(absl::StrCat("a line that is not understood: ", line));
    }
    if (!created) GiveUp("is no set that ipset lists");
    set_.boxes = Joined(std::move(set_.boxes), name_);
    return std::move(set_);
  }

 private:
  void GiveUp(std::string why) {
    if (set_.unknown.empty()) set_.unknown = std::move(why);
  }

  bool Create(const Words &words) {
    name_ = std::string(words[1]);
    set_.is_list = words[2] == "list:set";
    const std::optional<std::vector<Part>> parts = PartsOf(words[2]);
    if (parts) set_.parts = *parts;
    if (!parts && !set_.is_list) GiveUp(absl::StrCat("of type ", words[2]));
    if (std::ranges::count(words, "bitmask") != 0) GiveUp("has a bitmask");
    const bool has_address = std::ranges::count(set_.parts, Part::kAddress) != 0;
    if (has_address) set_.family = After(words, "family") == "inet6" ? AF_INET6 : AF_INET;
    if (const absl::string_view mask = After(words, "netmask"); !mask.empty())
      if (!absl::SimpleAtoi(mask, &netmask_)) GiveUp("has a netmask that is no length");
    return true;
  }

  void Add(const Words &words) {
    const absl::string_view entry = words[2];
    set_.digest = absl::HashOf(set_.digest, entry);
    if (std::ranges::count(words, "nomatch") != 0) GiveUp("has exceptions (nomatch)");
    if (set_.is_list) {
      set_.members.emplace_back(entry);
      return;
    }
    const std::vector<std::string> values = absl::StrSplit(entry, ',');
    NfBox box;
    if (values.size() == set_.parts.size())
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!(set_.parts[i] == Part::kAddress ? AddAddress(values[i], box)
                                              : AddPort(values[i], box)))
          break;
    if (box.size() == Width())
      set_.boxes.push_back(std::move(box));
    else
      GiveUp(absl::StrCat("an entry that is not understood: ", entry));
  }

  std::size_t Width() const {
    std::size_t width = 0;
    for (const Part part : set_.parts) width += part == Part::kAddress ? 1 : 2;
    return width;
  }

  bool AddAddress(const std::string &word, NfBox &box) const {
    absl::StatusOr<Prefix> prefix = Prefix::Parse(word);
    if (!prefix.ok()) return false;
    if (netmask_ >= 0) prefix->length = std::min(prefix->length, netmask_);
    box.emplace_back(MakePrefixes("", {prefix->Network()}));
    return true;
  }

  // "tcp:80"; of a set of ports alone, "80".
  static bool AddPort(const std::string &word, NfBox &box) {
    const std::size_t colon = word.find(':');
    std::uint32_t port = 0;
    if (colon == std::string::npos) {
      if (!absl::SimpleAtoi(word, &port)) return false;
      box.emplace_back(NfNumbers{{IPPROTO_TCP, IPPROTO_TCP}, {IPPROTO_UDP, IPPROTO_UDP}});
    } else {
      const auto proto = ProtocolOfWord(word.substr(0, colon));
      if (!proto.ok() || !absl::SimpleAtoi(word.substr(colon + 1), &port)) return false;
      constexpr int kWithPorts[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_UDPLITE};
      if (std::ranges::find(kWithPorts, *proto) == std::end(kWithPorts)) return false;
      box.emplace_back(NfNumbers{{*proto, *proto}});
    }
    box.emplace_back(NfNumbers{{port, port}});
    return true;
  }

  IpSet set_;
  std::string name_;
  int netmask_ = -1;
};

// The keys by which the directions have a packet looked up in such a set.
std::vector<NfKey> KeysOf(const std::vector<Part> &parts, const std::vector<std::string> &sides) {
  std::vector<NfKey> keys;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool to = sides[i] == "dst";
    if (parts[i] == Part::kAddress) {
      keys.push_back({to ? NfField::kDestination : NfField::kSource});
    } else {
      keys.push_back({NfField::kProtocol});
      keys.push_back({to ? NfField::kDport : NfField::kSport});
    }
  }
  return keys;
}

struct Gathered {
  std::vector<NfKey> keys;
  NfBoxes boxes;
  std::string unknown;
};

// With fewer directions than its entries have parts, or of another family, a set holds nothing.
void Gather(IpSets &sets, const std::string &name, const std::vector<std::string> &sides,
            int family, int depth, Gathered &all) {
  const IpSet &set = sets.Find(name);
  if (!set.unknown.empty()) all.unknown = absl::StrCat("set ", name, " ", set.unknown);
  if (set.is_list && depth == kNesting) all.unknown = absl::StrCat("set ", name, " is too deep");
  if (!all.unknown.empty()) return;
  for (const std::string &member : set.members) Gather(sets, member, sides, family, depth + 1, all);
  if (set.is_list || set.parts.size() > sides.size()) return;
  if (set.family != 0 && set.family != family) return;
  const std::vector<NfKey> keys = KeysOf(set.parts, sides);
  if (!all.keys.empty() && all.keys != keys)
    all.unknown = absl::StrCat("set ", name, " is of another kind than the ones beside it");
  all.keys = keys;
  all.boxes.insert(all.boxes.end(), set.boxes.begin(), set.boxes.end());
}

}  // namespace

IpSet ParseIpSet(absl::string_view saved) {
  return Parser().Parse(saved);
}

IpSet IpSets::Read(const std::string &name) const {
  if (const auto given = saved_.find(name); given != saved_.end()) return ParseIpSet(given->second);
  const absl::StatusOr<std::string> saved = RunProgram({"ipset", "save", name});
  if (saved.ok()) return ParseIpSet(*saved);
  IpSet unread;
  unread.unknown = absl::StrCat("could not be read: ", saved.status().message());
  return unread;
}

const IpSet &IpSets::Find(const std::string &name) {
  const auto [found, is_new] = known_.try_emplace(name);
  if (is_new) found->second = Read(name);
  return found->second;
}

bool IpSets::Poll() {
  bool changed = false;
  for (auto &[name, set] : known_) {
    IpSet now = Read(name);
    changed |= now.digest != set.digest || now.unknown != set.unknown || now.parts != set.parts;
    set = std::move(now);
  }
  return changed;
}

NfStep IpSetMatch(IpSets &sets, const std::string &name, const std::string &directions,
                  bool negated, int family, const std::string &words) {
  const std::vector<std::string> sides = absl::StrSplit(directions, ',');
  Gathered all;
  Gather(sets, name, sides, family, 0, all);
  if (!all.unknown.empty()) return NfUnknownMatch{absl::StrCat(words, " (", all.unknown, ")")};
  if (all.keys.empty()) all.keys = {{NfField::kDestination}};
  return NfMatch{std::move(all.keys),
                 std::make_shared<const NfBoxes>(Joined(std::move(all.boxes), name)), negated};
}

}  // namespace srcsel
