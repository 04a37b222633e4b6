#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/status.hh"
#include "lab/route_requests.hh"
#include "lab/temp_dir.hh"
#include "lab/two_uplinks.hh"

namespace srcsel::lab {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr std::uint16_t kPort = 80;
constexpr std::uint16_t kUnmarked = 8080, kMarked = 8100, kBound = 8200;

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Tells whoever connects where it sees the connection come from, and hangs up.
class Teller {
 public:
  explicit Teller(const Host &host) {
    const absl::Status listening = Within(host.netns().fd(), [&]() -> absl::Status {
      listener_.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in any{};
      any.sin_family = AF_INET;
      any.sin_port = htons(kPort);
      if (bind(listener_.get(), reinterpret_cast<sockaddr *>(&any), sizeof(any)) != 0 ||
          listen(listener_.get(), SOMAXCONN) != 0)
        return absl::ErrnoToStatus(errno, "listen");
      return absl::OkStatus();
    });
    EXPECT_TRUE(listening.ok()) << listening;
    thread_ = std::thread([this] { Serve(); });
  }
  ~Teller() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

 private:
  void Serve() const {
    for (;;) {
      sockaddr_in peer{};
      socklen_t size = sizeof(peer);
      const Fd fd(
          accept4(listener_.get(), reinterpret_cast<sockaddr *>(&peer), &size, SOCK_CLOEXEC));
      if (!fd) return;
      char text[INET_ADDRSTRLEN];
      inet_ntop(AF_INET, &peer.sin_addr, text, sizeof(text));
      send(fd.get(), text, strlen(text), MSG_NOSIGNAL);
    }
  }

  Fd listener_;
  std::thread thread_;
};

class ProxyTest : public testing::Test {
 protected:
  ProxyTest() : server_(lab_.host("server")), proxy_(Start()) {
    EXPECT_TRUE(RouteBySource(lab_).ok());
    EXPECT_TRUE(proxy_.WaitForLine("ready").ok());
  }

  Process Start() {
    const auto listen = [](std::uint16_t port, const std::string &how) {
      return std::to_string(port) + ":" + how;
    };
    return client_
        .Spawn({.argv = {PROXY, kServer4, std::to_string(kPort), listen(kUnmarked, "0"),
                         listen(kMarked, "100"), listen(kBound, "100:bind")}})
        .value();
  }

  // What the server says to one who comes by the proxy's port.
  static std::string Ask(std::uint16_t port) {
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in proxy = Loopback(port);
    if (connect(fd.get(), reinterpret_cast<const sockaddr *>(&proxy), sizeof(proxy)) != 0)
      return strerrorname_np(errno);
    std::string heard;
    char buffer[64];
    for (ssize_t size; (size = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0;)
      heard.append(buffer, static_cast<std::size_t>(size));
    return heard;
  }

  using Heard = std::map<std::string, int>;

  // So many connections by each of four threads; how often each source was told.
  Heard AskOften(std::uint16_t port, int each) const {
    std::vector<Heard> heard(4);
    std::vector<std::thread> threads;
    threads.reserve(heard.size());
    for (Heard &mine : heard)
      threads.emplace_back([&, port, each] {
        EXPECT_TRUE(EnterNetns(client_.netns().fd()).ok());
        for (int i = 0; i < each; ++i) ++mine[Ask(port)];
      });
    for (std::thread &thread : threads) thread.join();
    Heard all;
    for (const Heard &mine : heard)
      for (const auto &[source, count] : mine) all[source] += count;
    return all;
  }

  Lab lab_ = Lab::Build(TwoUplinks()).value();
  const Host &client_ = lab_.host("client");
  Teller server_;
  Process proxy_;
};

TEST_F(ProxyTest, ThousandsOfConnectionsHaveTheRightSource) {
  EXPECT_THAT(AskOften(kUnmarked, 500), ElementsAre(Pair(kTelecomSource4, 2000)));
  EXPECT_THAT(AskOften(kMarked, 500), ElementsAre(Pair(kUnicomSource4, 2000)));
  EXPECT_THAT(AskOften(kBound, 500), ElementsAre(Pair(kUnicomSource4, 2000)));
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

// The proxy hears of it in its own loop, under load.
TEST_F(ProxyTest, AChangedRouteHoldsForTheNextConnections) {
  std::thread load([&] {
    const Heard heard = AskOften(kBound, 500);
    for (const auto &[source, count] : heard)
      EXPECT_TRUE(source == kUnicomSource4 || source == kUnicomOtherSource4) << source;
  });
  EXPECT_TRUE(client_.Ip("route change default via 10.1.0.254 src 10.1.0.2 table 100").ok());
  load.join();
  const Deadline deadline(kPatience);
  while (!AskOften(kBound, 1).contains(kUnicomOtherSource4)) ASSERT_FALSE(deadline.Passed());
  EXPECT_THAT(AskOften(kBound, 100), ElementsAre(Pair(kUnicomOtherSource4, 400)));
  EXPECT_THAT(client_.ConntrackEntries().value(), IsEmpty());
}

// To follow, it lists routes; to choose, it asks for none.
TEST_F(ProxyTest, ChoosesWithoutAskingTheKernelForARoute) {
  const TempDir dir = TempDir::Make().value();
  const std::string trace = dir.path() + "/trace";
  Process strace =
      client_.Spawn({.argv = TraceRequests(trace, {"-p", std::to_string(proxy_.pid())})}).value();
  ASSERT_TRUE(strace.WaitForLine("attached").ok());
  for (const std::uint16_t port : {kUnmarked, kMarked, kBound}) AskOften(port, 50);
  EXPECT_TRUE(client_.Ip("route change default via 10.1.0.254 src 10.1.0.2 table 100").ok());
  const Deadline deadline(kPatience);
  while (!AskOften(kBound, 1).contains(kUnicomOtherSource4)) ASSERT_FALSE(deadline.Passed());
  EXPECT_TRUE(strace.Signal(SIGINT).ok());
  EXPECT_FALSE(strace.Wait().timed_out);
  const RouteRequests requests = RequestsIn(trace);
  EXPECT_EQ(requests.lookups, 0);
  EXPECT_GE(requests.lists, 2);
}

}  // namespace
}  // namespace srcsel::lab
