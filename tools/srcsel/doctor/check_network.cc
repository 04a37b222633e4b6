#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/dead_tables.hh"
#include "agent/mark_rules.hh"
#include "agent/uplink.hh"
#include "srcsel/doctor/checks.hh"
#include "srcsel/doctor/mark_users.hh"

namespace srcsel {
namespace {

constexpr int kStrict = 1;

bool HasMarkRules(const State &state) {
  return !MarkRules(state, AF_INET).empty();
}

// Of conf/DEVICE; a name with a dot wants the other spelling.
std::string Sysctl(const std::string &device, const char *name) {
  const char *dot = absl::StrContains(device, ".") ? "/" : ".";
  return absl::StrCat("net", dot, "ipv4", dot, "conf", dot, device, dot, name);
}

std::string BehindSemicolon(const std::string &text) {
  return text.empty() ? "" : absl::StrCat("; ", text);
}

// iptables-save and ip6tables-save are the only programs that the firewall is read by.
bool IsOfNoProgram(absl::string_view skipped) {
  return absl::StartsWith(skipped, "no program ip");
}

std::optional<Complaint> StrictOn(const ReversePath &path, const Stray &stray,
                                  const NetworkFacts &network) {
  const bool arrives_marked = !network.firewall.arrival_marks.empty();
  if (path.filter != kStrict || (arrives_marked && path.src_valid_mark)) return std::nullopt;
  const std::string device = DeviceName(network.state, path.device);
  return Complaint{HasMarkRules(network.state) ? Gravity::kBroken : Gravity::kWarning,
                   absl::StrCat("the reverse path filter of ", device, " is strict, and ",
                                stray.words, "; what is answered to ", stray.address.ToString(),
                                " by ", device, " is dropped"),
                   arrives_marked
                       ? absl::StrCat("sysctl -w ", Sysctl(device, "src_valid_mark"), "=1")
                       : absl::StrCat("sysctl -w ", Sysctl(device, "rp_filter"), "=2")};
}

}  // namespace

// A packet passes if one to its sender, from the address it came to, would leave by where it came
// in (Linux 6.18, __fib_validate_source()): that is what a stray is tried with.
Complaints CheckReversePath(const Facts &facts) {
  const NetworkFacts &network = facts.network;
  Complaints found;
  for (const ReversePath &path : network.reverse_paths)
    for (const Stray &stray : network.strays) {
      if (!stray.address.is_v4() ||
          std::ranges::find(stray.devices, path.device) == stray.devices.end())
        continue;
      auto strict = StrictOn(path, stray, network);
      if (!strict) continue;
      found.push_back(*std::move(strict));
      break;
    }
  return found;
}

Complaints CheckFromRules(const Facts &facts) {
  Complaints found;
  for (const Stray &stray : facts.network.strays)
    found.push_back({Gravity::kWarning,
                     absl::StrCat("without a mark, ", stray.words,
                                  "; so do sockets that are bound to it, and answers of servers "
                                  "that are asked at it",
                                  BehindSemicolon(stray.mend.WhatIsMissing())),
                     stray.mend.typed});
  return found;
}

// Rules to one table are one finding.
Complaints CheckDeadUplinks(const Facts &facts) {
  const std::vector<MarkUser> users = MarkUsers(facts.network);
  std::set<std::pair<int, std::uint32_t>> said;
  Complaints found;
  for (const DeadTable &dead : FindDeadTables(facts.network.state))
    if (!IsOf(users, dead.rule.mark) && said.emplace(dead.family, dead.rule.table).second)
      found.push_back({Gravity::kBroken,
                       absl::StrCat(dead.words, BehindSemicolon(dead.mend.WhatIsMissing())),
                       dead.mend.typed});
  return found;
}

Complaints CheckFwmarkAccept(const Facts &facts) {
  const NetworkFacts &network = facts.network;
  if (network.fwmark_accept || network.firewall.arrival_marks.empty() ||
      !HasMarkRules(network.state))
    return {};
  return {{Gravity::kNote,
           absl::StrCat("packets are marked as they arrive (",
                        absl::StrJoin(network.firewall.arrival_marks, "; "),
                        "), and connections that are accepted do not take the mark over"),
           "sysctl -w net.ipv4.tcp_fwmark_accept=1"}};
}

Complaints CheckSourceNat(const Facts &facts) {
  const auto &up = facts.up.status;
  const bool all_up = up && up->state.cgroup == "/" && up->Trouble().what.empty();
  Complaints found;
  for (const NfSourceNat &nat : facts.network.nats.needless)
    found.push_back({all_up ? Gravity::kWarning : Gravity::kNote,
                     absl::StrCat(nat.name, all_up ? ": is" : ": once srcsel is up, is",
                                  " of no use any more, for this host forwards nothing; as long as "
                                  "it is there, connection tracking keeps an entry a connection"),
                     nat.removal});
  return found;
}

Complaints CheckFirewallRead(const Facts &facts) {
  const std::vector<std::string> &skipped = facts.network.firewall.skipped;
  if (skipped.empty()) return {};
  std::string remedy;
  if (!facts.host.may_pin)
    remedy = "sudo srcsel doctor";
  else if (std::ranges::any_of(skipped, IsOfNoProgram))
    remedy = "apt install iptables";
  return {{Gravity::kNote,
           absl::StrCat("not all of the firewall can be read, so marks and NAT may be overlooked: ",
                        absl::StrJoin(skipped, "; ")),
           std::move(remedy)}};
}

}  // namespace srcsel
