// Which interfaces of a network namespace can send, and which IPv6 addresses can receive, learned
// from rtnetlink notifications.
//
// That a command has succeeded is not enough. After `ip link set up` the kernel starts a device's
// queue from a work item, up to a second later (linkwatch), and drops packets until then; it
// reports operational state UP afterwards. After `ip -6 address add` it joins the solicited-node
// group and inserts the address's local route from a work item, even with nodad; the route comes
// last.
//
// Contract: open the monitor before the changes; it knows only what happened since then.
// Not thread-safe.

#pragma once

#include <linux/netlink.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"
#include "lab/deadline.hh"
#include <srcsel/address.hh>

namespace srcsel::lab {

class NetnsMonitor {
 public:
  static absl::StatusOr<NetnsMonitor> Open(const Fd &netns);

  // Until the interface can send.
  absl::Status WaitUntilUp(const std::string &interface, Deadline deadline = kPatience);
  // Until the interface has been deleted.
  absl::Status WaitUntilGone(const std::string &interface, Deadline deadline = kPatience);
  // Until packets to the IPv6 address are received.
  absl::Status WaitUntilReceiving(const IpAddress &address, Deadline deadline = kPatience);

 private:
  enum class LinkState { kUnknown, kDown, kUp, kGone };

  explicit NetnsMonitor(Fd socket) : socket_(std::move(socket)) {}
  absl::Status WaitUntil(const std::function<bool()> &arrived, absl::string_view what,
                         const Deadline &deadline);
  absl::Status Receive(const Deadline &deadline);
  void NoteLink(const nlmsghdr &message);
  void NoteRoute(const nlmsghdr &message);

  Fd socket_;
  std::map<std::string, LinkState> links_;
  std::set<IpAddress> receiving_;
};

}  // namespace srcsel::lab
