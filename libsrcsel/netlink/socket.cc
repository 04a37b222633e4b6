#include "netlink/socket.hh"

#include <linux/rtnetlink.h>
#include <netlink/handlers.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/netns.hh"
#include "base/status.hh"
#include "netlink/dump.hh"

namespace srcsel {
namespace {

constexpr int kBufferBytes = 1 << 20;

absl::Status NlStatus(int code, absl::string_view verb) {
  if (code >= 0) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(verb, ": ", nl_geterror(code)));
}

// libnl's default callbacks print when the environment has NLCB; custom ones are no callbacks.
nl_sock *NewSocket() {
  nl_cb *callbacks = nl_cb_alloc(NL_CB_CUSTOM);
  if (callbacks == nullptr) return nullptr;
  nl_sock *socket = nl_socket_alloc_cb(callbacks);
  nl_cb_put(callbacks);
  return socket;
}

}  // namespace

void NetlinkSocket::Free::operator()(nl_sock *socket) const {
  nl_socket_free(socket);
}

absl::StatusOr<NetlinkSocket> NetlinkSocket::Open() {
  NetlinkSocket socket(NewSocket());
  if (!socket.socket_) return absl::ResourceExhaustedError("allocate a netlink socket");
  nl_sock *raw = socket.socket_.get();
  nl_socket_disable_auto_ack(raw);
  SRCSEL_RETURN_IF_ERROR(NlStatus(nl_connect(raw, NETLINK_ROUTE), "open a netlink socket"));
  SRCSEL_RETURN_IF_ERROR(NlStatus(nl_socket_set_buffer_size(raw, kBufferBytes, 0),
                                  "enlarge a netlink socket's buffer"));
  const int on = 1;
  if (setsockopt(socket.fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)) != 0)
    return absl::ErrnoToStatus(errno, "set NETLINK_GET_STRICT_CHK (Linux 4.20 or later)");
  SRCSEL_ASSIGN_OR_RETURN(socket.netns_, NetnsCookie());
  return socket;
}

int NetlinkSocket::fd() const {
  return nl_socket_get_fd(socket_.get());
}

absl::Status NetlinkSocket::SetNonBlocking() {
  return NlStatus(nl_socket_set_nonblocking(socket_.get()), "make a netlink socket non-blocking");
}

absl::Status NetlinkSocket::Join(int group) {
  return NlStatus(nl_socket_add_membership(socket_.get(), group),
                  absl::StrCat("join netlink group ", group));
}

absl::Status NetlinkSocket::Dump(int type, int family, absl::FunctionRef<void()> begin,
                                 absl::FunctionRef<absl::Status(const nlmsghdr &)> each) {
  const DumpRequest request{type, family};
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    begin();
    SRCSEL_ASSIGN_OR_RETURN(const bool consistent, DumpOnce(socket_.get(), request, each));
    if (consistent) return absl::OkStatus();
  }
  return absl::AbortedError(
      absl::StrCat(request.ToString(), ": changed under each of ", kDumpAttempts, " attempts"));
}

}  // namespace srcsel
