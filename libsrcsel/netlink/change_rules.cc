#include "netlink/change_rules.hh"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "netlink/decode_rule.hh"
#include "netlink/request.hh"

namespace srcsel {
namespace {

std::string Words(const Rule &rule) {
  return absl::StrCat("ip rule pref ", rule.pref, " from ", rule.from.address.ToString(),
                      " lookup ", rule.table);
}

}  // namespace

absl::StatusOr<RuleChanger> RuleChanger::Open() {
  SRCSEL_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open());
  return RuleChanger(std::move(socket));
}

absl::StatusOr<std::vector<Rule>> RuleChanger::List() {
  std::vector<Rule> rules;
  for (const int family : {AF_INET, AF_INET6}) {
    const auto before = static_cast<std::ptrdiff_t>(rules.size());
    SRCSEL_RETURN_IF_ERROR(socket_.Dump(
        RTM_GETRULE, family, [&] { rules.erase(rules.begin() + before, rules.end()); },
        [&](const nlmsghdr &message) -> absl::Status {
          SRCSEL_ASSIGN_OR_RETURN(Rule rule, DecodeRule(message));
          rules.push_back(std::move(rule));
          return absl::OkStatus();
        }));
  }
  return rules;
}

absl::Status RuleChanger::Add(const Rule &rule) {
  SRCSEL_ASSIGN_OR_RETURN(const int error, Send(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule));
  if (error == 0 || error == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("add ", Words(rule)));
}

absl::Status RuleChanger::Remove(const Rule &rule) {
  SRCSEL_ASSIGN_OR_RETURN(const int error, Send(RTM_DELRULE, 0, rule));
  if (error == 0 || error == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("remove ", Words(rule)));
}

absl::StatusOr<int> RuleChanger::Send(int type, int flags, const Rule &rule) {
  fib_rule_hdr header{};
  header.family = static_cast<__u8>(rule.family);
  header.src_len = static_cast<__u8>(rule.from.length);
  header.action = FR_ACT_TO_TBL;
  NetlinkRequest request(type, flags | NLM_F_ACK, header, ++sequence_);
  request.Add(FRA_SRC, rule.from.address);
  request.Add(FRA_TABLE, rule.table);
  request.Add(FRA_PROTOCOL, rule.protocol);
  request.Add(FRA_PRIORITY, rule.pref);
  const auto &bytes = request.Finish();
  if (send(socket_.fd(), bytes.data(), bytes.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "change ip rules");
  for (;;) {
    struct {
      nlmsghdr message;
      nlmsgerr error;
      char request[256];
    } answer;
    const ssize_t size = recv(socket_.fd(), &answer, sizeof(answer), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "hear that ip rules were changed");
    if (answer.message.nlmsg_seq == sequence_ && answer.message.nlmsg_type == NLMSG_ERROR)
      return -answer.error.error;
  }
}

}  // namespace srcsel
