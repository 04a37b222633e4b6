// A fixture whose tests run in a network namespace of their own, which vanishes with them.

#pragma once

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "base/netns.hh"
#include "netlink/read_state.hh"

namespace srcsel {

class NetnsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "making a network namespace needs root";
    home_.reset(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(home_);
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    Ip("link set lo up");
  }
  void TearDown() override {
    if (!home_) return;
    EXPECT_TRUE(EnterNetns(home_).ok());
  }

  // `ip` with these words, by a shell.
  static void Ip(const std::string &words) {
    ASSERT_EQ(std::system(absl::StrCat("ip ", words).c_str()), 0) << "ip " << words;
  }
  // `ip -batch` with these lines.
  static void IpBatch(const std::string &lines) {
    FILE *ip = popen("ip -batch -", "w");
    ASSERT_NE(ip, nullptr);
    std::fputs(lines.c_str(), ip);
    ASSERT_EQ(pclose(ip), 0);
  }
  // Two devices, v0 with 10.0.0.1/24 and fd00::1/64 and v1 without an address, joined and up. No
  // link-local addresses and no DAD, so that nothing changes afterwards by itself.
  static void MakeDevices() {
    Ip("link add v0 type veth peer name v1");
    for (const char *name : {"v0", "v1"}) {
      Ip(absl::StrCat("link set ", name, " addrgenmode none"));
      Ip(absl::StrCat("link set ", name, " up"));
    }
    Ip("address add 10.0.0.1/24 dev v0");
    Ip("address add fd00::1/64 dev v0 nodad");
  }

  static State Read() {
    absl::StatusOr<NetlinkSocket> socket = NetlinkSocket::Open();
    EXPECT_TRUE(socket.ok()) << socket.status();
    absl::StatusOr<State> state = ReadState(*socket);
    EXPECT_TRUE(state.ok()) << state.status();
    return *std::move(state);
  }

 private:
  Fd home_;
};

}  // namespace srcsel
