#include "netfilter/nft_rule_list.hh"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "base/fd.hh"
#include "base/status.hh"
#include "netfilter/nft_netlink.hh"

namespace srcsel {
namespace {

// Rules that change while they are dumped are dumped again, so often.
constexpr int kDumps = 20;

std::vector<std::uint32_t> LevelsIn(Attributes::Bytes expressions, DecodeError &error) {
  std::vector<std::uint32_t> levels;
  ForEachNftItem(expressions, error, [&](const Attributes &expression) {
    if (expression.Text(NFTA_EXPR_NAME) != "socket") return;
    const Attributes socket = expression.Nested(NFTA_EXPR_DATA);
    const auto key = socket.Get<std::uint32_t>(NFTA_SOCKET_KEY),
               level = socket.Get<std::uint32_t>(NFTA_SOCKET_LEVEL);
    if (key && level && ntohl(*key) == NFT_SOCKET_CGROUPV2) levels.push_back(ntohl(*level));
  });
  return levels;
}

const char *FamilyWord(std::uint8_t family) {
  return family == NFPROTO_IPV4   ? "ip"
         : family == NFPROTO_IPV6 ? "ip6"
         : family == NFPROTO_INET ? "inet"
                                  : nullptr;
}

void Take(const nlmsghdr &message, std::vector<NftKernelRule> &rules, DecodeError &error) {
  const Attributes attributes(message, sizeof(nfgenmsg), error);
  nfgenmsg about{};
  if (message.nlmsg_len >= NLMSG_LENGTH(sizeof(about)))
    std::memcpy(&about, NLMSG_DATA(&message), sizeof(about));
  const char *family = FamilyWord(about.nfgen_family);
  if (family == nullptr) return;
  rules.push_back({family, std::string(attributes.Text(NFTA_RULE_TABLE)),
                   std::string(attributes.Text(NFTA_RULE_CHAIN)),
                   be64toh(attributes.Get<std::uint64_t>(NFTA_RULE_HANDLE).value_or(0)),
                   LevelsIn(attributes.Payload(NFTA_RULE_EXPRESSIONS), error)});
}

// Nothing: they have changed meanwhile.
absl::StatusOr<std::optional<std::vector<NftKernelRule>>> Dump(const Fd &kernel,
                                                               std::uint32_t sequence) {
  const std::string request =
      NftRequest(NFT_MSG_GETRULE, NLM_F_DUMP, NFPROTO_UNSPEC, sequence).Finish();
  if (send(kernel.get(), request.data(), request.size(), 0) < 0)
    return absl::ErrnoToStatus(errno, "list the nft rules: send");
  alignas(nlmsghdr) std::array<char, 65536> buffer;
  std::vector<NftKernelRule> rules;
  DecodeError error("a rule of nft");
  for (bool consistent = true;;) {
    const ssize_t size = recv(kernel.get(), buffer.data(), buffer.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return absl::ErrnoToStatus(errno, "list the nft rules: receive");
    auto left = static_cast<unsigned>(size);
    for (auto *message = reinterpret_cast<const nlmsghdr *>(buffer.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != sequence) continue;
      consistent &= (message->nlmsg_flags & NLM_F_DUMP_INTR) == 0;
      if (message->nlmsg_type == NLMSG_DONE) {
        if (!error.ok()) return error.status();
        return consistent ? std::optional(std::move(rules)) : std::nullopt;
      }
      if (message->nlmsg_type == NLMSG_ERROR) {
        nlmsgerr failed;
        std::memcpy(&failed, NLMSG_DATA(message), sizeof(failed));
        return absl::ErrnoToStatus(-failed.error, "list the nft rules: dump");
      }
      Take(*message, rules, error);
    }
  }
}

using ChainName = std::tuple<std::string, std::string, std::string>;

ChainName ChainOf(const NftJson &rule) {
  return {rule.value("family", ""), rule.value("table", ""), rule.value("chain", "")};
}

NftJson Unprinted(const NftKernelRule &rule) {
  return {{"rule",
           {{"family", rule.family},
            {"table", rule.table},
            {"chain", rule.chain},
            {"handle", rule.handle},
            {"expr", {{{"not printed", "by this version of libnftables: a newer one may"}}}}}}};
}

}  // namespace

absl::StatusOr<std::vector<NftKernelRule>> DumpNftRules() {
  const Fd kernel(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!kernel) return absl::ErrnoToStatus(errno, "list the nft rules: open a socket");
  for (std::uint32_t sequence = 1; sequence <= kDumps; ++sequence) {
    SRCSEL_ASSIGN_OR_RETURN(auto rules, Dump(kernel, sequence));
    if (rules) return *std::move(rules);
  }
  return absl::AbortedError("list the nft rules: they change faster than they can be read");
}

void AddUnprintedRules(const std::vector<NftKernelRule> &rules, NftJson &document) {
  const auto list = document.find("nftables");
  if (list == document.end() || !list->is_array()) return;
  std::map<std::pair<ChainName, std::uint64_t>, NftJson> printed;
  std::set<ChainName> lacks;
  for (const NftJson &item : *list)
    if (const auto rule = item.find("rule"); rule != item.end())
      printed[{ChainOf(*rule), rule->value("handle", std::uint64_t{0})}] = item;
  const auto is_printed = [&](const NftKernelRule &rule) {
    return printed.contains({{rule.family, rule.table, rule.chain}, rule.handle});
  };
  for (const NftKernelRule &rule : rules)
    if (!is_printed(rule)) lacks.insert({rule.family, rule.table, rule.chain});
  if (lacks.empty()) return;
  // Of a chain that lacks one, all rules are listed anew.
  std::erase_if(list->get_ref<NftJson::array_t &>(), [&](const NftJson &item) {
    const auto rule = item.find("rule");
    return rule != item.end() && lacks.contains(ChainOf(*rule));
  });
  for (const NftKernelRule &rule : rules) {
    const ChainName chain{rule.family, rule.table, rule.chain};
    if (lacks.contains(chain))
      list->push_back(is_printed(rule) ? printed[{chain, rule.handle}] : Unprinted(rule));
  }
}

}  // namespace srcsel
