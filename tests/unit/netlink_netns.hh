// A fixture whose tests run in a network namespace of their own, which vanishes with them.

#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "base/netns.hh"
#include "netlink/read_state.hh"
#include "netlink_message.hh"

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
  static bool KernelIsAtLeast(int major, int minor) {
    utsname name;
    int own_major = 0, own_minor = 0;
    EXPECT_EQ(uname(&name), 0);
    EXPECT_EQ(std::sscanf(name.release, "%d.%d", &own_major, &own_minor), 2);
    return std::pair(own_major, own_minor) >= std::pair(major, minor);
  }
  // What iproute2 does not know how to ask for.
  static void Create(Message message) {
    message.get().nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
    const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    ASSERT_GT(send(socket.get(), message.bytes().data(), message.bytes().size(), 0), 0);
    struct {
      nlmsghdr header;
      nlmsgerr error;
    } answer;
    ASSERT_GE(recv(socket.get(), &answer, sizeof(answer), 0), NLMSG_HDRLEN + 4);
    ASSERT_EQ(answer.header.nlmsg_type, NLMSG_ERROR);
    ASSERT_EQ(answer.error.error, 0);
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
    absl::StatusOr<StateReader> reader = StateReader::Open();
    EXPECT_TRUE(reader.ok()) << reader.status();
    absl::StatusOr<State> state = reader->Read();
    EXPECT_TRUE(state.ok()) << state.status();
    return *std::move(state);
  }
  static Link LinkNamed(const std::string &name) {
    for (const Link &link : Read().links)
      if (link.name == name) return link;
    ADD_FAILURE() << "no link " << name;
    return {};
  }
  // `sysctl -w`, with slashes below /proc/sys/net.
  static void SetSysctl(const std::string &path, const std::string &value) {
    std::ofstream file(absl::StrCat("/proc/sys/net/", path));
    ASSERT_TRUE(file << value << std::flush) << path;
  }

 private:
  Fd home_;
};

}  // namespace srcsel
