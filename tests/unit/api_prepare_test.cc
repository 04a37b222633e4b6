#include <linux/capability.h>
#include <sys/syscall.h>

#include "api_world.hh"

namespace srcsel {
namespace {

constexpr int kIpLocalPortRange = 51;

class ApiPrepareTest : public ApiTest {
 protected:
  static Fd Socket(int family, int type = SOCK_STREAM) {
    return Fd(socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  }
  static srcsel_prepare_options Marked(std::uint32_t flags = 0) {
    srcsel_prepare_options options{};
    options.size = sizeof(options);
    options.flags = flags;
    options.mark = 100;
    return options;
  }
  int Prepare(const Fd &fd, const std::string &destination, const srcsel_prepare_options &options) {
    const srcsel_sockaddr to = Sockaddr(destination, 80);
    return srcsel_prepare(mirror_, fd.get(), &to.any, sizeof(to), &options, nullptr);
  }
  static srcsel_sockaddr Name(const Fd &fd) {
    srcsel_sockaddr name{};
    socklen_t size = sizeof(name);
    EXPECT_EQ(getsockname(fd.get(), &name.any, &size), 0);
    return name;
  }
  // The source after a connect() that goes nowhere.
  static std::string Connected(const Fd &fd, const std::string &destination) {
    const srcsel_sockaddr to = Sockaddr(destination, 80);
    if (connect(fd.get(), &to.any, sizeof(to)) != 0 && errno != EINPROGRESS)
      return strerrorname_np(errno);
    return Text(Name(fd));
  }
  static int MarkOf(const Fd &fd) {
    int mark = -1;
    socklen_t size = sizeof(mark);
    EXPECT_EQ(getsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, &size), 0);
    return mark;
  }

  // Takes the calling thread's effective capabilities away, or gives back those it may have.
  static void SetPrivileged(bool privileged) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2];
    ASSERT_EQ(syscall(SYS_capget, &header, data), 0);
    for (auto &word : data) word.effective = privileged ? word.permitted : 0;
    ASSERT_EQ(syscall(SYS_capset, &header, data), 0);
  }
};

TEST_F(ApiPrepareTest, SetsTheMark) {
  const Fd fd = Socket(AF_INET);
  EXPECT_EQ(Prepare(fd, kFar4, Marked()), static_cast<int>(SRCSEL_SET_MARK));
  EXPECT_EQ(MarkOf(fd), 100);
  EXPECT_EQ(Connected(fd, kFar4), "10.1.0.1");
}

TEST_F(ApiPrepareTest, BindsWhereItMayNotMark) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    const Fd fd = Socket(AF_INET, type);
    SetPrivileged(false);
    const int set = Prepare(fd, kFar4, Marked());
    SetPrivileged(true);
    EXPECT_EQ(set, static_cast<int>(SRCSEL_SET_SOURCE)) << srcsel_last_error();
    EXPECT_EQ(MarkOf(fd), 0);
    EXPECT_EQ(Text(Name(fd)), "10.1.0.1");
    EXPECT_EQ(Name(fd).v4.sin_port, 0);
    EXPECT_EQ(Connected(fd, kFar4), "10.1.0.1");
  }
}

TEST_F(ApiPrepareTest, BindsIfAskedTo) {
  const Fd v6 = Socket(AF_INET6), mapped = Socket(AF_INET6);
  EXPECT_EQ(Prepare(v6, kFar6, Marked(SRCSEL_PREPARE_BIND)), static_cast<int>(SRCSEL_SET_SOURCE));
  EXPECT_EQ(Connected(v6, kFar6), "fd00::1");
  const std::string destination = std::string("::ffff:") + kFar4;
  EXPECT_EQ(Prepare(mapped, destination, Marked(SRCSEL_PREPARE_BIND)),
            static_cast<int>(SRCSEL_SET_SOURCE))
      << srcsel_last_error();
  EXPECT_EQ(Connected(mapped, destination), "::ffff:10.1.0.1");
}

TEST_F(ApiPrepareTest, SetsPorts) {
  if (!KernelIsAtLeast(6, 3)) GTEST_SKIP() << "IP_LOCAL_PORT_RANGE needs Linux 6.3";
  const Fd fd = Socket(AF_INET);
  srcsel_prepare_options options = Marked();
  options.port_first = 50000, options.port_last = 50009;
  EXPECT_EQ(Prepare(fd, kFar4, options), static_cast<int>(SRCSEL_SET_MARK | SRCSEL_SET_PORTS));
  std::uint32_t range = 0;
  socklen_t size = sizeof(range);
  ASSERT_EQ(getsockopt(fd.get(), IPPROTO_IP, kIpLocalPortRange, &range, &size), 0);
  EXPECT_EQ(range, 50009u << 16 | 50000u);
  EXPECT_EQ(Connected(fd, kFar4), "10.1.0.1");
  EXPECT_GE(ntohs(Name(fd).v4.sin_port), 50000);
  EXPECT_LE(ntohs(Name(fd).v4.sin_port), 50009);
}

TEST_F(ApiPrepareTest, NothingIsToBeDone) {
  const Fd fd = Socket(AF_INET);
  const srcsel_sockaddr to = Sockaddr(kFar4, 80);
  srcsel_answer answer = Answer();
  EXPECT_EQ(srcsel_prepare(mirror_, fd.get(), &to.any, sizeof(to), nullptr, &answer), 0);
  EXPECT_EQ(Text(answer.outcome.source), "10.0.0.1");
  EXPECT_EQ(Connected(fd, kFar4), "10.0.0.1");
}

TEST_F(ApiPrepareTest, WhatTheApplicationSetStays) {
  const Fd marked = Socket(AF_INET);
  const int own_mark = 7;
  ASSERT_EQ(setsockopt(marked.get(), SOL_SOCKET, SO_MARK, &own_mark, sizeof(own_mark)), 0);
  EXPECT_EQ(Prepare(marked, kFar4, Marked()), 0);
  EXPECT_EQ(MarkOf(marked), own_mark);

  for (const auto &[address, port] : {std::pair("10.0.0.1", 0), std::pair("0.0.0.0", 40001)}) {
    const Fd bound = Socket(AF_INET);
    const srcsel_sockaddr own = Sockaddr(address, static_cast<std::uint16_t>(port));
    ASSERT_EQ(bind(bound.get(), &own.any, sizeof(own.v4)), 0);
    const srcsel_sockaddr before = Name(bound);
    EXPECT_EQ(Prepare(bound, kFar4, Marked(SRCSEL_PREPARE_BIND)), 0);
    EXPECT_EQ(Text(Name(bound)), address);
    EXPECT_EQ(Name(bound).v4.sin_port, before.v4.sin_port);
  }
}

TEST_F(ApiPrepareTest, WhatCannotLeaveIsNotBound) {
  Ip("route replace unreachable default table 100");
  srcsel_close(&mirror_);
  ASSERT_EQ(srcsel_open(nullptr, &mirror_), 0);
  const Fd fd = Socket(AF_INET);
  EXPECT_EQ(Prepare(fd, kFar4, Marked(SRCSEL_PREPARE_BIND)), 0);
  EXPECT_EQ(Text(Name(fd)), "0.0.0.0");
}

TEST_F(ApiPrepareTest, Misuse) {
  const Fd fd = Socket(AF_INET), v6 = Socket(AF_INET6), null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const srcsel_prepare_options options = Marked();
  EXPECT_EQ(Prepare(Fd(), kFar4, options), -EBADF);
  EXPECT_EQ(Prepare(null, kFar4, options), -ENOTSOCK);
  EXPECT_EQ(Prepare(Socket(AF_UNIX), kFar4, options), -EAFNOSUPPORT);
  EXPECT_EQ(Prepare(fd, kFar6, options), -EAFNOSUPPORT);
  EXPECT_EQ(Prepare(v6, kFar4, options), -EAFNOSUPPORT);
  srcsel_prepare_options wrong = options;
  wrong.size = 3;
  EXPECT_EQ(Prepare(fd, kFar4, wrong), -EINVAL);
  wrong = options, wrong.flags = 0xffffffff;
  EXPECT_EQ(Prepare(fd, kFar4, wrong), -EINVAL);
  for (const auto &[first, last] : {std::pair(1, 0), std::pair(0, 1), std::pair(2, 1)}) {
    wrong = options;
    wrong.port_first = static_cast<std::uint16_t>(first);
    wrong.port_last = static_cast<std::uint16_t>(last);
    EXPECT_EQ(Prepare(fd, kFar4, wrong), -EINVAL);
  }
  srcsel_sockaddr to = Sockaddr(kFar6);
  EXPECT_EQ(srcsel_prepare(mirror_, v6.get(), &to.any, sizeof(to.v4), nullptr, nullptr), -EINVAL);
  EXPECT_EQ(srcsel_prepare(mirror_, v6.get(), &to.any, 3, nullptr, nullptr), -EINVAL);
  to.any.sa_family = AF_UNIX;
  EXPECT_EQ(srcsel_prepare(mirror_, v6.get(), &to.any, sizeof(to), nullptr, nullptr),
            -EAFNOSUPPORT);
  EXPECT_EQ(MarkOf(fd), 0);
}

}  // namespace
}  // namespace srcsel
