#include "differential/hosts/live_host.hh"

#include <linux/if.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.hh"
#include "differential/hosts/rule_by_hand.hh"
#include "netlink/follow.hh"
#include "netlink/read_state.hh"

namespace srcsel {
namespace {

// Longer ones first.
constexpr std::array<absl::string_view, 7> kKinds = {
    "ip -4 rule add ", "ip -6 rule add ", "ip -4 ", "ip -6 ", "ip link ", "ip ", "sysctl "};

absl::string_view KindOf(absl::string_view command) {
  const auto found = std::ranges::find_if(
      kKinds, [&](absl::string_view kind) { return command.substr(0, kind.size()) == kind; });
  return found == kKinds.end() ? absl::string_view() : *found;
}

// For a tick of the kernel's clock on either side of its end a route looks as if it had none.
constexpr int kTicks = 25;  // milliseconds, more than two of them

bool ExpiresAtOnce(const std::string &command) {
  return command.find(" expires 0") != std::string::npos;
}

// In the namespace.
bool HasIpv6(const Link &link) {
  std::ifstream disabled(absl::StrCat("/proc/sys/net/ipv6/conf/", link.name, "/disable_ipv6"));
  return disabled.get() == '0';
}

// The kernel gives a link this route when it is ready to have IPv6 addresses.
bool HasMulticastRoute(const State &state, const Link &link) {
  const Prefix all = Prefix::Parse("ff00::/8").value();
  return std::ranges::any_of(state.routes.entries(), [&](const Routes::Entry &route) {
    return route.dst == all && state.routes.TermsOf(route).nexthops.front().oif == link.index;
  });
}

bool IsReady(const State &state, const Link &link) {
  const auto has = [&](unsigned flag) { return (link.flags & flag) != 0; };
  if (!has(IFF_UP) || has(IFF_LOOPBACK)) return true;
  if (has(IFF_RUNNING) != has(IFF_LOWER_UP)) return false;
  return !has(IFF_RUNNING) || !HasIpv6(link) || HasMulticastRoute(state, link);
}

}  // namespace

absl::StatusOr<LiveHost> LiveHost::Make(const std::vector<std::string> &commands) {
  SRCSEL_ASSIGN_OR_RETURN(lab::Host made, lab::Host::Create("host"));
  LiveHost host(std::move(made));
  SRCSEL_RETURN_IF_ERROR(host.Run(commands));
  return host;
}

absl::Status LiveHost::Run(const std::vector<std::string> &commands) {
  for (auto first = commands.begin(); first != commands.end();) {
    const absl::string_view kind = KindOf(*first);
    const auto last = std::find_if(
        first, commands.end(), [&](const std::string &command) { return KindOf(command) != kind; });
    std::vector<std::string> lines;
    for (; first != last; ++first) lines.push_back(first->substr(kind.size()));
    SRCSEL_RETURN_IF_ERROR(RunKind(std::string(kind), lines));
  }
  if (std::ranges::any_of(commands, ExpiresAtOnce)) poll(nullptr, 0, kTicks);
  return absl::OkStatus();
}

absl::Status LiveHost::RunKind(const std::string &kind, const std::vector<std::string> &lines) {
  if (kind == "ip -4 ") return RunBatch({"-4"}, lines);
  if (kind == "ip -6 ") return RunBatch({"-6"}, lines);
  if (kind == "ip ") return RunBatch({}, lines);
  if (kind == "ip -4 rule add ") return AddRules(false, lines);
  if (kind == "ip -6 rule add ") return AddRules(true, lines);
  if (kind == "ip link ") {
    std::vector<std::string> whole;
    for (const std::string &line : lines) whole.push_back("link " + line);
    SRCSEL_RETURN_IF_ERROR(RunBatch({}, std::move(whole)));
    return Settle();
  }
  for (const std::string &line : lines) {
    const std::pair<std::string, std::string> set = absl::StrSplit(line, absl::MaxSplits('=', 1));
    refused_ += !host_.SetSysctl(set.first, set.second).ok();
  }
  return absl::OkStatus();
}

// Words that `ip` cannot parse end it, whatever -force says. So each line is followed by one that
// it complains about by number and goes on.
absl::Status LiveHost::RunBatch(const std::vector<std::string> &options,
                                std::vector<std::string> lines) {
  while (!lines.empty()) {
    std::vector<std::string> words = {"ip", "-force", "-batch", "-"};
    words.insert(words.begin() + 1, options.begin(), options.end());
    const std::string input = absl::StrCat(absl::StrJoin(lines, "\n?\n"), "\n?\n");
    SRCSEL_ASSIGN_OR_RETURN(const lab::Result result, host_.Run({.argv = words, .input = input}));
    std::size_t done = 0, complaints = 0;
    for (const absl::string_view complaint : absl::StrSplit(result.err, "Command failed -:")) {
      std::size_t number = 0;
      if (!absl::SimpleAtoi(complaint.substr(0, complaint.find('\n')), &number)) continue;
      ++complaints;
      if (number % 2 == 0) done = number / 2;
    }
    const bool all = done >= lines.size();
    refused_ += complaints - done + !all;
    lines.erase(lines.begin(),
                lines.begin() + static_cast<std::ptrdiff_t>(all ? lines.size() : done + 1));
  }
  return absl::OkStatus();
}

absl::Status LiveHost::AddRules(bool v6, const std::vector<std::string> &lines) {
  return lab::Within(netns(), [&]() -> absl::Status {
    for (const std::string &line : lines) {
      const absl::Status added = AddRuleByHand(v6, absl::StrSplit(line, ' ', absl::SkipEmpty()));
      if (absl::IsInvalidArgument(added) && added.message().substr(0, 6) == "a rule") return added;
      refused_ += !added.ok();
    }
    return absl::OkStatus();
  });
}

absl::Status LiveHost::Settle() const {
  return lab::Within(netns(), [&]() -> absl::Status {
    SRCSEL_ASSIGN_OR_RETURN(const Follower follower, Follower::Open());
    SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
    const lab::Deadline deadline(lab::kPatience);
    for (;;) {
      SRCSEL_ASSIGN_OR_RETURN(const State state, reader.Read());
      if (std::ranges::all_of(state.links, [&](const Link &link) { return IsReady(state, link); }))
        return absl::OkStatus();
      pollfd heard{follower.fd(), POLLIN, 0};
      if (poll(&heard, 1, deadline.PollTimeout()) == 0)
        return absl::DeadlineExceededError("wait for links");
      SRCSEL_RETURN_IF_ERROR(follower.Drain(Gateways()).status());
    }
  });
}

}  // namespace srcsel
