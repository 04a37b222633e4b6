#include <linux/rtnetlink.h>

#include "netlink/decode_address.hh"
#include "netlink/socket.hh"
#include "netlink_netns.hh"

namespace srcsel {
namespace {

constexpr int kAddresses = 2000;  // several times what the kernel lists at once
constexpr int kUnknownFamily = 12;

class Sockets : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::string lines;
    for (int i = 0; i < kAddresses; ++i)
      absl::StrAppend(&lines, "address add ", Nth(i), "/32 dev lo\n");
    IpBatch(lines);
    absl::StatusOr<NetlinkSocket> socket = NetlinkSocket::Open();
    ASSERT_TRUE(socket.ok()) << socket.status();
    socket_.emplace(*std::move(socket));
  }

  static std::string Nth(int i) { return absl::StrCat("10.0.", i / 250, ".", i % 250); }
  static void Delete(int i) { Ip(absl::StrCat("address del ", Nth(i), "/32 dev lo")); }

  absl::Status DumpAddresses(absl::FunctionRef<void()> begin,
                             absl::FunctionRef<absl::Status(const nlmsghdr &)> each) {
    return socket_->Dump(RTM_GETADDR, AF_INET, begin, each);
  }
  // 127.0.0.1 is one more than we added.
  int CountAddresses() {
    int addresses = 0;
    const auto count = [&](const nlmsghdr &) { return ++addresses, absl::OkStatus(); };
    const absl::Status status = DumpAddresses([&] { addresses = 0; }, count);
    EXPECT_TRUE(status.ok()) << status;
    return addresses;
  }

  std::optional<NetlinkSocket> socket_;
};

TEST_F(Sockets, DumpEverythingOnce) {
  EXPECT_EQ(CountAddresses(), kAddresses + 1);
}

TEST_F(Sockets, RepeatAnInconsistentDump) {
  int attempts = 0;
  std::vector<std::string> addresses;
  const auto begin = [&] { ++attempts, addresses.clear(); };
  const absl::Status status = DumpAddresses(begin, [&](const nlmsghdr &message) {
    if (attempts == 1 && addresses.empty()) Delete(0);
    addresses.push_back(DecodeAddress(message)->local.ToString());
    return absl::OkStatus();
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(attempts, 2);
  std::vector<std::string> expected = {"127.0.0.1"};
  for (int i = 1; i < kAddresses; ++i) expected.push_back(Nth(i));
  EXPECT_EQ(addresses, expected);
}

TEST_F(Sockets, GiveUpOnARestlessKernel) {
  int attempts = 0;
  bool first = false;
  const auto begin = [&] { ++attempts, first = true; };
  const absl::Status status = DumpAddresses(begin, [&](const nlmsghdr &) {
    if (first) Delete(attempts);
    first = false;
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "dump IPv4 addresses: changed under each of 8 attempts");
  EXPECT_EQ(attempts, NetlinkSocket::kDumpAttempts);
  EXPECT_EQ(CountAddresses(), kAddresses + 1 - attempts);
}

TEST_F(Sockets, StopAtTheCallersError) {
  int calls = 0;
  const auto refuse = [&](const nlmsghdr &) { return ++calls, absl::InternalError("enough"); };
  EXPECT_EQ(DumpAddresses([] {}, refuse), absl::InternalError("enough"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(CountAddresses(), kAddresses + 1);
}

TEST_F(Sockets, AFamilyTheKernelLacksHasNothing) {
  const auto fail = [](const nlmsghdr &) { return absl::InternalError("of another family"); };
  for (int type :
       {RTM_GETRULE, RTM_GETROUTE, RTM_GETADDR, RTM_GETADDRLABEL, RTM_GETNEIGH, RTM_GETNEXTHOP}) {
    const absl::Status status = socket_->Dump(
        type, kUnknownFamily, [] {}, fail);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST_F(Sockets, SayWhatTheKernelRefused) {
  constexpr int kNoSuchRequest = 254;
  const absl::Status status = socket_->Dump(
      kNoSuchRequest, AF_INET6, [] {}, [](const nlmsghdr &) { return absl::OkStatus(); });
  EXPECT_EQ(status.message(), "dump IPv6 routes: Operation not supported");
  EXPECT_EQ(CountAddresses(), kAddresses + 1);
}

TEST_F(Sockets, AreClosedOnExec) {
  EXPECT_EQ(fcntl(socket_->fd(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace srcsel
