#include "differential/hosts/rule_by_hand.hh"

#include <endian.h>
#include <linux/fib_rules.h>

#include <charconv>
#include <functional>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace srcsel {
namespace {

// Attributes that the headers of Debian 12 do not know.
enum : int {
  kDscp = 25,           // Linux 6.12
  kFlowLabel = 26,      // Linux 6.14
  kFlowLabelMask = 27,  // Linux 6.14
  kSportMask = 28,      // Linux 6.15
  kDportMask = 29,      // Linux 6.15
  kDscpMask = 30,       // Linux 6.15
};

std::uint32_t Number(absl::string_view text) {
  const int base = text.substr(0, 2) == "0x" ? 16 : 10;
  if (base == 16) text.remove_prefix(2);
  std::uint32_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

struct Pair {
  std::uint32_t first, second;
  bool both;
};

Pair Split(absl::string_view text, char by) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(by, 1));
  const bool both = !parts.second.empty();
  return {Number(parts.first), both ? Number(parts.second) : Number(parts.first), both};
}

class RuleWriter {
 public:
  explicit RuleWriter(bool v6) : family_(v6 ? AF_INET6 : AF_INET) {
    header_.family = static_cast<__u8>(family_);
    header_.action = FR_ACT_TO_TBL;
  }

  absl::Status Read(const std::vector<std::string> &words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string &word = words[i];
      if (word == "not") {
        header_.flags |= FIB_RULE_INVERT;
      } else if (const auto action = kActions.find(word); action != kActions.end()) {
        header_.action = action->second;
      } else if (word == "l3mdev") {
        Keep<std::uint8_t>(FRA_L3MDEV, 1);
      } else if (i + 1 == words.size() || !ReadPair(word, words[++i])) {
        return absl::InvalidArgumentError(absl::StrCat("a rule's word ", word));
      }
    }
    return absl::OkStatus();
  }

  NetlinkRequest Finish() const {
    NetlinkRequest request(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, header_);
    for (const auto &add : attributes_) add(request);
    return request;
  }

 private:
  inline static const std::map<std::string, __u8> kActions = {{"nop", FR_ACT_NOP},
                                                              {"blackhole", FR_ACT_BLACKHOLE},
                                                              {"unreachable", FR_ACT_UNREACHABLE},
                                                              {"prohibit", FR_ACT_PROHIBIT}};

  template <typename T>
  void Keep(int type, T value) {
    attributes_.push_back([=](NetlinkRequest &request) { request.Add(type, value); });
  }

  void KeepName(int type, const std::string &name) {
    attributes_.push_back(
        [=](NetlinkRequest &request) { request.Add(type, name.c_str(), name.size() + 1); });
  }

  void KeepPrefix(int type, const std::string &text, __u8 &length) {
    const Prefix prefix = Prefix::Parse(text).value();
    length = static_cast<__u8>(prefix.length);
    Keep(type, prefix.address);
  }

  void KeepPorts(int type, int mask_type, const std::string &text) {
    const auto [first, last, ranges] = Split(text, '-');
    const auto [port, mask, masked] = Split(text, '/');
    const auto low = static_cast<__u16>(masked ? port : first);
    const auto high = static_cast<__u16>(masked ? port : last);
    Keep(type, fib_rule_port_range{low, high});
    if (masked) Keep(mask_type, static_cast<std::uint16_t>(mask));
  }

  void KeepTable(const std::string &text) {
    static const std::map<std::string, std::uint32_t> kNames = {
        {"local", RT_TABLE_LOCAL}, {"main", RT_TABLE_MAIN}, {"default", RT_TABLE_DEFAULT}};
    const auto name = kNames.find(text);
    Keep(FRA_TABLE, name == kNames.end() ? Number(text) : name->second);
  }

  bool ReadPair(const std::string &word, const std::string &value) {
    if (word == "from") return KeepPrefix(FRA_SRC, value, header_.src_len), true;
    if (word == "to") return KeepPrefix(FRA_DST, value, header_.dst_len), true;
    if (word == "iif") return KeepName(FRA_IIFNAME, value), true;
    if (word == "oif") return KeepName(FRA_OIFNAME, value), true;
    if (word == "sport") return KeepPorts(FRA_SPORT_RANGE, kSportMask, value), true;
    if (word == "dport") return KeepPorts(FRA_DPORT_RANGE, kDportMask, value), true;
    if (word == "tos") return header_.tos = static_cast<__u8>(Number(value)), true;
    if (word == "pref") return Keep(FRA_PRIORITY, Number(value)), true;
    if (word == "table") return KeepTable(value), true;
    if (word == "suppress_prefixlength") return Keep(FRA_SUPPRESS_PREFIXLEN, Number(value)), true;
    if (word == "suppress_ifgroup") return Keep(FRA_SUPPRESS_IFGROUP, Number(value)), true;
    if (word == "tun_id") return Keep(FRA_TUN_ID, htobe64(Number(value))), true;
    return ReadNumbers(word, value);
  }

  bool ReadNumbers(const std::string &word, const std::string &value) {
    const auto [number, mask, masked] = Split(value, '/');
    if (word == "ipproto") {
      Keep(FRA_IP_PROTO, static_cast<std::uint8_t>(value == "tcp" ? IPPROTO_TCP : IPPROTO_UDP));
    } else if (word == "goto") {
      header_.action = FR_ACT_GOTO;
      Keep(FRA_GOTO, number);
    } else if (word == "uidrange") {
      const auto [first, last, ranges] = Split(value, '-');
      Keep(FRA_UID_RANGE, fib_rule_uid_range{first, last});
    } else if (word == "fwmark") {
      Keep(FRA_FWMARK, number);
      if (masked) Keep(FRA_FWMASK, mask);
    } else if (word == "dscp") {
      Keep(kDscp, static_cast<std::uint8_t>(number));
      if (masked) Keep(kDscpMask, static_cast<std::uint8_t>(mask));
    } else if (word == "flowlabel") {
      Keep(kFlowLabel, htonl(number));
      Keep(kFlowLabelMask, htonl(masked ? mask : 0xfffff));
    } else {
      return false;
    }
    return true;
  }

  int family_;
  fib_rule_hdr header_{};
  std::vector<std::function<void(NetlinkRequest &)>> attributes_;
};

}  // namespace

absl::Status AddRuleByHand(bool v6, const std::vector<std::string> &words) {
  RuleWriter rule(v6);
  SRCSEL_RETURN_IF_ERROR(rule.Read(words));
  return Do(rule.Finish());
}

}  // namespace srcsel
