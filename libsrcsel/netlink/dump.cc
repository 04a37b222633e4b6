#include "netlink/dump.hh"

#include <linux/fib_rules.h>
#include <linux/if_addrlabel.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr std::size_t kChunkBytes = 64 << 10;  // the kernel fills no more than 32 KiB

struct FreeMessage {
  void operator()(nl_msg *message) const { nlmsg_free(message); }
};

struct Kind {
  int type;
  std::size_t header_size;
  const char *objects;
};

constexpr Kind kKinds[] = {
    {RTM_GETLINK, sizeof(ifinfomsg), "links"},
    {RTM_GETADDR, sizeof(ifaddrmsg), "addresses"},
    {RTM_GETADDRLABEL, sizeof(ifaddrlblmsg), "address labels"},
    {RTM_GETRULE, sizeof(fib_rule_hdr), "rules"},
    {RTM_GETNEXTHOP, sizeof(nhmsg), "nexthop objects"},
    {RTM_GETNEXTHOPBUCKET, sizeof(nhmsg), "nexthop buckets"},
    {RTM_GETNEIGH, sizeof(ndmsg), "neighbours"},
    {RTM_GETROUTE, sizeof(rtmsg), "routes"},
};
constexpr std::size_t kLargestHeader = sizeof(ifinfomsg);

const Kind &KindOf(int type) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds) - 1,
                       [&](const Kind &kind) { return kind.type == type; });
}

bool Fill(nl_msg *message, const DumpRequest &request) {
  char header[kLargestHeader] = {static_cast<char>(request.family)};
  const std::size_t size = KindOf(request.type).header_size;
  if (nlmsg_append(message, header, size, NLMSG_ALIGNTO) < 0) return false;
  return request.type != RTM_GETLINK ||
         nla_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) == 0;
}

// The request's sequence number.
absl::StatusOr<std::uint32_t> Send(nl_sock *socket, const DumpRequest &request) {
  const std::unique_ptr<nl_msg, FreeMessage> message(nlmsg_alloc_simple(request.type, NLM_F_DUMP));
  if (!message || !Fill(message.get(), request))
    return absl::ResourceExhaustedError(absl::StrCat(request.ToString(), ": no memory"));
  if (const int sent = nl_send_auto(socket, message.get()); sent < 0)
    return absl::UnavailableError(absl::StrCat(request.ToString(), ": ", nl_geterror(sent)));
  return nlmsg_hdr(message.get())->nlmsg_seq;
}

// The size of what was received; 0 if it is not from the kernel.
absl::StatusOr<int> Receive(int fd, void *buffer, const DumpRequest &request) {
  sockaddr_nl sender{};
  iovec where{buffer, kChunkBytes};
  msghdr header{};
  header.msg_name = &sender;
  header.msg_namelen = sizeof(sender);
  header.msg_iov = &where;
  header.msg_iovlen = 1;
  ssize_t size;
  do size = recvmsg(fd, &header, 0);
  while (size < 0 && errno == EINTR);
  if (size < 0) return absl::ErrnoToStatus(errno, request.ToString());
  if (header.msg_flags & MSG_TRUNC)
    return absl::DataLossError(absl::StrCat(request.ToString(), ": a message was cut short"));
  return sender.nl_pid == 0 ? static_cast<int>(size) : 0;
}

bool IsEnd(const nlmsghdr &message) {
  return message.nlmsg_type == NLMSG_DONE || message.nlmsg_type == NLMSG_ERROR;
}

absl::Status EndStatus(const nlmsghdr &message, const DumpRequest &request) {
  int code = 0;
  if (message.nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
    std::memcpy(&code, NLMSG_DATA(&message), sizeof(code));
  if (code >= 0 || code == -EAFNOSUPPORT) return absl::OkStatus();
  // Only IPv6 has labels: without it nobody answers.
  if (code == -EOPNOTSUPP && request.type == RTM_GETADDRLABEL) return absl::OkStatus();
  return absl::ErrnoToStatus(-code, request.ToString());
}

bool IsObjectOf(int family, const nlmsghdr &message) {
  return message.nlmsg_type >= NLMSG_MIN_TYPE && message.nlmsg_len > NLMSG_HDRLEN &&
         (family == AF_UNSPEC ||
          *static_cast<const std::uint8_t *>(NLMSG_DATA(&message)) == family);
}

}  // namespace

std::string DumpRequest::ToString() const {
  const char *const version = family == AF_INET ? "IPv4 " : family == AF_INET6 ? "IPv6 " : "";
  return absl::StrCat("dump ", version, KindOf(type).objects);
}

absl::StatusOr<bool> DumpOnce(nl_sock *socket, const DumpRequest &request,
                              absl::FunctionRef<absl::Status(const nlmsghdr &)> each) {
  SRCSEL_ASSIGN_OR_RETURN(const std::uint32_t sequence, Send(socket, request));
  const auto buffer = std::make_unique_for_overwrite<std::uint8_t[]>(kChunkBytes);
  absl::Status status;
  bool consistent = true;
  for (;;) {
    SRCSEL_ASSIGN_OR_RETURN(int left, Receive(nl_socket_get_fd(socket), buffer.get(), request));
    auto *message = reinterpret_cast<nlmsghdr *>(buffer.get());
    for (; nlmsg_ok(message, left); message = nlmsg_next(message, &left)) {
      if (message->nlmsg_seq != sequence) continue;
      if (message->nlmsg_flags & NLM_F_DUMP_INTR) consistent = false;
      if (IsEnd(*message)) {
        SRCSEL_RETURN_IF_ERROR(status);
        SRCSEL_RETURN_IF_ERROR(EndStatus(*message, request));
        return consistent;
      }
      if (consistent && status.ok() && IsObjectOf(request.family, *message))
        status = each(*message);
    }
  }
}

}  // namespace srcsel
