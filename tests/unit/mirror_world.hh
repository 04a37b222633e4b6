// A namespace with two ways out, and mirrors of it.
//
// v0 has 10.0.0.1 and fd00::1 and the default routes; table 100, for mark 100, leads out by v1 with
// 10.1.0.1.

#pragma once

#include <linux/if_addr.h>
#include <net/if.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "netlink_netns.hh"
#include <srcsel/mirror.hh>

namespace srcsel {

inline constexpr char kFar4[] = "192.0.2.80", kFar6[] = "2001:db8::80";

class MirrorTest : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    MakeDevices();
    Ip("address add 10.1.0.1/24 dev v1");
    Ip("route add default via 10.0.0.254 dev v0");
    Ip("-6 route add default via fd00::fe dev v0");
    Ip("rule add fwmark 100 table 100");
    Ip("route add default via 10.1.0.254 dev v1 table 100");
    while (!IsSettled()) std::this_thread::yield();
  }

  static std::unique_ptr<Mirror> Open(const MirrorOptions &options = {.threadless = true}) {
    absl::StatusOr<std::unique_ptr<Mirror>> mirror = Mirror::Open(options);
    EXPECT_TRUE(mirror.ok()) << mirror.status();
    return *std::move(mirror);
  }

  static Flow To(const std::string &destination, std::uint32_t mark = 0) {
    Flow flow;
    flow.destination = *IpAddress::Parse(destination);
    flow.dport = 80;
    flow.mark = mark;
    return flow;
  }
  // The source, or the number of the error.
  static std::string SourceOf(const Mirror &mirror, const Flow &flow) {
    const absl::StatusOr<Selection> selection = mirror.Select(flow);
    if (!selection.ok()) return std::string(selection.status().message());
    if (selection->outcome.error != 0) return std::to_string(selection->outcome.error);
    return selection->outcome.source.ToString();
  }

  // Lets a threadless mirror work until the condition holds; false if that takes too long.
  template <typename Condition>
  static bool Until(Mirror &mirror, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      pollfd one{mirror.fd(), POLLIN, 0};
      poll(&one, 1, 10000);
      static_cast<void>(mirror.Process());
    }
    return true;
  }
  // The same for one with a thread of its own, of whose doings nothing tells.
  template <typename Condition>
  static bool ByItself(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

 private:
  // The kernel attends to a veth's carrier, and to addresses that wait for it, some time after
  // `ip`.
  static bool IsSettled() {
    const State state = Read();
    return std::ranges::all_of(state.links,
                               [](const Link &link) { return link.flags & IFF_RUNNING; }) &&
           std::ranges::none_of(state.addresses, [](const InterfaceAddress &address) {
             return address.flags & IFA_F_TENTATIVE;
           });
  }
};

}  // namespace srcsel
