// What a connect() asks: how many lookups, and with which key.

#include <netinet/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

#include "api/socket_flow.hh"
#include "differential/traps/bind_hook.hh"
#include "differential/traps/traps.hh"
#include "lab/process.hh"

namespace srcsel {
namespace {

TEST_F(Traps, T01_SourceIsOfTheFirstLookupInIpv4) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 to 20.0.0.0/8 from 10.0.0.1 table 101",
      "ip -4 rule add pref 11 to 21.0.0.0/8 sport 32768-60999 table 101",
      "ip -4 rule add pref 12 to 22.0.0.0/8 from 10.0.0.1 prohibit",
      "ip -4 rule add pref 13 to 23.0.0.0/8 sport 32768-60999 prohibit"});
  EXPECT_EQ(Dial(Tcp("20.0.0.1")), "v1 10.0.0.1");
  EXPECT_EQ(Dial(Udp("20.0.0.1")), "v1 10.0.0.1");
  EXPECT_EQ(Dial(Tcp("21.0.0.1")), "v1 10.0.0.1");
  EXPECT_EQ(Dial(Udp("21.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(Dial(Tcp("22.0.0.1")), "EACCES");
  EXPECT_EQ(Dial(Tcp("23.0.0.1")), "EACCES");
}

TEST_F(Traps, T01_Ipv6HasOneLookup) {
  MakeUplinks();
  Do({"ip -6 rule add pref 10 to fd20::/32 from fd00::1 table 101",
      "ip -6 rule add pref 11 to fd21::/32 sport 32768-60999 table 101",
      "ip -6 rule add pref 12 to fd22::/32 from fd00::1 prohibit"});
  EXPECT_EQ(Dial(Tcp("fd20::1")), "v0 fd00::1");
  EXPECT_EQ(Dial(Tcp("fd21::1")), "v0 fd00::1");
  EXPECT_EQ(Dial(Udp("fd21::1")), "v1 fd01::1");
  EXPECT_EQ(Dial(Tcp("fd22::1")), "v0 fd00::1");
}

// A socket that is used again.
class Reused {
 public:
  explicit Reused(int type) : fd_(::socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
  explicit Reused(Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  // The flow that a connect() now would open.
  Flow FlowTo(const char *to) {
    api::SocketFlow read;
    EXPECT_EQ(api::ReadSocketFlow(fd_.get(), Destination(to), read), 0);
    return read.flow;
  }

  std::string Connect(const char *to) {
    const srcsel_sockaddr destination = Destination(to);
    srcsel_sockaddr own{};
    socklen_t size = sizeof(own);
    if (connect(fd_.get(), &destination.any, sizeof(destination.v4)) != 0 && errno != EINPROGRESS)
      return strerrorname_np(errno);
    EXPECT_EQ(getsockname(fd_.get(), &own.any, &size), 0);
    return IpAddress::FromBytes(AF_INET, &own.v4.sin_addr).ToString();
  }

  void Dissolve() {
    const sockaddr none{AF_UNSPEC, {}};
    EXPECT_EQ(connect(fd_.get(), &none, sizeof(none)), 0);
  }

 private:
  static srcsel_sockaddr Destination(const char *to) {
    srcsel_sockaddr destination{};
    destination.v4.sin_family = AF_INET;
    destination.v4.sin_port = htons(443);
    const IpAddress address = IpAddress::Parse(to).value();
    std::memcpy(&destination.v4.sin_addr, address.bytes().data(), 4);
    return destination;
  }

  const Fd fd_;
};

TEST_F(Traps, T11_TcpSocketUsedAgainAsksWithItsOldPort) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 sport 32768-60999 table 101"});
  Reused socket(SOCK_STREAM);
  EXPECT_EQ(Predict(socket.FlowTo("20.0.0.1")), "v1 10.0.0.1");
  EXPECT_EQ(socket.Connect("20.0.0.1"), "10.0.0.1");
  socket.Dissolve();
  EXPECT_NE(socket.FlowTo("20.0.0.1").sport, 0);
  EXPECT_EQ(Predict(socket.FlowTo("20.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(socket.Connect("20.0.0.1"), "10.1.0.1");
}

TEST_F(Traps, T11_DissolvingAUdpSocketUnbindsItsDevice) {
  MakeUplinks();
  Reused socket(SOCK_DGRAM);
  const int device = static_cast<int>(Index("v1"));
  ASSERT_EQ(setsockopt(socket.fd(), SOL_SOCKET, SO_BINDTOIFINDEX, &device, sizeof(device)), 0);
  EXPECT_EQ(Predict(socket.FlowTo("20.0.0.1")), "v1 10.1.0.1");
  EXPECT_EQ(socket.Connect("20.0.0.1"), "10.1.0.1");
  socket.Dissolve();
  EXPECT_EQ(Predict(socket.FlowTo("20.0.0.1")), "v0 10.0.0.1");
  EXPECT_EQ(socket.Connect("20.0.0.1"), "10.0.0.1");
}

TEST_F(Traps, T11_AddressBoundByAHookStaysBound) {
  MakeUplinks();
  const absl::StatusOr<lab::TestCgroup> cgroup = lab::TestCgroup::Create();
  ASSERT_TRUE(cgroup.ok()) << cgroup.status();
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    absl::StatusOr<Fd> made = SocketOf(*cgroup, type);
    ASSERT_TRUE(made.ok()) << made.status();
    Reused socket(*std::move(made));
    {
      const absl::StatusOr<Fd> hook = AttachBindHook(*cgroup, Address("10.1.0.1"));
      ASSERT_TRUE(hook.ok()) << hook.status();
      EXPECT_EQ(Predict(socket.FlowTo("20.0.0.1")), "v0 10.0.0.1");
      EXPECT_EQ(socket.Connect("20.0.0.1"), "10.1.0.1");
    }
    socket.Dissolve();
    EXPECT_EQ(Predict(socket.FlowTo("21.0.0.1")), "v0 10.1.0.1");
    EXPECT_EQ(socket.Connect("21.0.0.1"), "10.1.0.1");
  }
}

TEST_F(Traps, T12_UidIsThatOfTheSocketsOwner) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 uidrange 2000-2000 table 101",
      "ip -6 rule add pref 10 uidrange 2000-2000 table 101"});
  Flow flow = Tcp("20.0.0.1"), flow6 = Tcp("fd20::1");
  EXPECT_EQ(Dial(flow), "v0 10.0.0.1");
  EXPECT_EQ(Dial(flow6), "v0 fd00::1");
  flow.uid = flow6.uid = 2000;
  EXPECT_EQ(Dial(flow), "v1 10.1.0.1");
  EXPECT_EQ(Dial(flow6), "v1 fd01::1");
  // Whoever connects it.
  Reused socket(SOCK_DGRAM);
  std::thread([&] {
    ASSERT_EQ(syscall(SYS_setresuid, -1, 2000, -1), 0);
    EXPECT_EQ(socket.Connect("20.0.0.1"), "10.0.0.1");
  }).join();
  EXPECT_EQ(Predict(socket.FlowTo("20.0.0.1")), "v0 10.0.0.1");
}

TEST_F(Traps, T12_ReroutedPacketOfIpv4HasUidZero) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 fwmark 7 uidrange 2000-2000 prohibit",
      "ip -4 rule add pref 11 fwmark 7 uidrange 0-0 table 101",
      "ip -6 rule add pref 10 fwmark 7 uidrange 2000-2000 table 101",
      "ip -6 rule add pref 11 fwmark 7 uidrange 0-0 prohibit"});
  lab::Command nft{.argv = {"nft", "-f", "-"}, .netns = host().netns().get()};
  nft.input = R"(table inet t {
    counter left { }
    chain marks { type route hook output priority mangle; udp dport 443 meta mark set 7; }
    chain counts { type filter hook postrouting priority 0; oifname "v1" udp dport 443 counter name left; }
  })";
  const absl::StatusOr<lab::Result> loaded = lab::RunCommand(nft);
  ASSERT_TRUE(loaded.ok() && loaded->ok()) << loaded->ToString();
  for (const char *to : {"20.0.0.1", "fd20::1"}) {
    const IpAddress destination = Address(to);
    const Fd socket(::socket(destination.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(fchown(socket.get(), 2000, static_cast<gid_t>(-1)), 0);
    sockaddr_storage storage;
    const socklen_t size = SetAddress(storage, destination, 443);
    EXPECT_EQ(sendto(socket.get(), "", 0, 0, reinterpret_cast<sockaddr *>(&storage), size), 0)
        << to;
    // The key of the second routing.
    Flow rerouted = Udp(to);
    rerouted.mark = 7;
    rerouted.source = Address(destination.is_v4() ? "10.0.0.1" : "fd00::1");
    rerouted.uid = destination.is_v4() ? 0 : 2000;
    EXPECT_EQ(Ask(rerouted).substr(0, 2), "v1");
  }
  nft = {.argv = {"nft", "list", "counters"}, .netns = host().netns().get()};
  const absl::StatusOr<lab::Result> counters = lab::RunCommand(nft);
  ASSERT_TRUE(counters.ok() && counters->ok());
  EXPECT_NE(counters->out.find("packets 2 "), std::string::npos) << counters->out;
}

TEST_F(Traps, T14_RouteGetIsOneLookupAndOfUdpInIpv4) {
  MakeUplinks();
  Do({"ip -4 rule add pref 10 to 20.0.0.0/8 ipproto udp table 101",
      "ip -6 rule add pref 10 to fd20::/32 ipproto udp table 101",
      "ip -4 rule add pref 11 to 21.0.0.0/8 from 10.0.0.1 table 101"});
  Flow bare = Udp("20.0.0.1"), bare6 = Udp("fd20::1");
  EXPECT_EQ(Ask(bare6), "v1 fd01::1");
  bare6.proto = 0;
  EXPECT_EQ(Ask(bare6), "v0 fd00::1");
  EXPECT_EQ(Ask(bare), "v1 10.1.0.1");
  bare.proto = 0;
  const absl::StatusOr<Outcome> reply = AskKernel(bare);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->source, Address("10.1.0.1"));
  EXPECT_EQ(Ask(Tcp("20.0.0.1")), "v0 10.0.0.1");
  EXPECT_EQ(Ask(Udp("21.0.0.1")), "v0 10.0.0.1");
  EXPECT_EQ(Dial(Udp("21.0.0.1")), "v1 10.0.0.1");
}

}  // namespace
}  // namespace srcsel
