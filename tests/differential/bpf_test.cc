// The BPF build of the engine against the native one: random images, random sockets, and for every
// event of a hook the decision that Decide() takes on the same image for the same flow.

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "base/netns.hh"
#include "draw.hh"
#include "hooks/counters.hh"
#include "hooks/events.hh"
#include "hooks/hooks.hh"
#include "image/compile.hh"
#include "lab/cgroup.hh"
#include "lab/netns.hh"
#include "lab/process.hh"
#include "lookup/decide.hh"
#include "random_world.hh"

namespace srcsel {
namespace {

constexpr int kWorlds = 60;
constexpr int kSockets = 250;  // a world

// Runs in a child of one thread: a step that fails ends it.
void Must(bool done, const char *what) {
  if (done) return;
  perror(what);
  _exit(1);
}

template <typename T>
void Set(const Fd &socket, int option, const T &value) {
  Must(setsockopt(socket.get(), SOL_SOCKET, option, &value, sizeof(value)) == 0, "setsockopt");
}

sockaddr_in6 MappedOrNative(const IpAddress &address, std::uint16_t port) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = address.is_v4() ? 0xff : 0;
  std::memcpy(in6.sin6_addr.s6_addr + (address.is_v4() ? 12 : 0), address.bytes().data(),
              address.size());
  return in6;
}

// Calls connect() or bind() with the address in the form of the socket's family.
template <typename F>
int With(F call, const Fd &socket, int family, const IpAddress &address, std::uint16_t port) {
  if (family == AF_INET6) {
    const sockaddr_in6 in6 = MappedOrNative(address, port);
    return call(socket.get(), reinterpret_cast<const sockaddr *>(&in6), sizeof(in6));
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  std::memcpy(&in.sin_addr, address.bytes().data(), sizeof(in.sin_addr));
  return call(socket.get(), reinterpret_cast<const sockaddr *>(&in), sizeof(in));
}

void SetTos(const Fd &socket, int family, int tos) {
  Must(setsockopt(socket.get(), IPPROTO_IP, IP_TOS, &tos, sizeof(tos)) == 0, "IP_TOS");
  if (family == AF_INET6)
    Must(setsockopt(socket.get(), IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos)) == 0,
         "IPV6_TCLASS");
}

int SendTo(int socket, const sockaddr *address, socklen_t size) {
  return static_cast<int>(sendto(socket, "", 1, 0, address, size));
}

// A socket as applications make them, some with an address, port, mark or device of their own. It
// connects once; a datagram socket may do so again, or send a datagram instead.
void Connect(Draw &draw, int times) {
  const IpAddress to = DrawDestination(draw);
  const int family = to.is_v4() && !draw.Once(4) ? AF_INET : AF_INET6;
  const int type = times == 1 && draw.Once(4) ? SOCK_STREAM : SOCK_DGRAM;
  Must(setresuid(draw.OneOf(kUids), 0, 0) == 0, "setresuid");
  Must(prctl(PR_SET_NAME, draw.OneOf(kComms).c_str()) == 0, "prctl");
  const Fd socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Must(static_cast<bool>(socket), "socket");
  if (draw.Once(6)) Set(socket, SO_MARK, draw.OneOf(kMarks));
  if (draw.Once(4)) SetTos(socket, family, 0x28);
  if (draw.Once(20)) Set(socket, SO_BINDTODEVICE, std::array<char, 3>{'l', 'o', 0});
  if (draw.Once(12))
    Must(With(bind, socket, family, IpAddress::Parse(to.is_v4() ? "10.0.0.1" : "fd00::1").value(),
              0) == 0,
         "bind an address");
  else if (draw.Once(12))
    Must(With(bind, socket, family, IpAddress::Any(to.family()), 0) == 0, "bind a port");
  const bool datagrams = type == SOCK_DGRAM && draw.Once(3);
  for (int i = 0; i < times; ++i)
    With(datagrams ? SendTo : connect, socket, family, to, draw.OneOf(kPorts));
}

// How often the sockets of a world connect or send in all.
int Connects() {
  return kSockets + kSockets / 10;
}

class BpfTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "BPF programs and network namespaces need root";
    lab::Command ip{.argv = {"ip", "-batch", "-"}};
    ip.netns = netns_.fd().get();
    ip.input = kHostWords;
    const lab::Result made = lab::RunCommand(ip).value();
    ASSERT_TRUE(made.ok()) << made.ToString();
    const auto cookie = lab::Within(netns_.fd(), NetnsCookie);
    ASSERT_TRUE(cookie.ok()) << cookie.status();
    cookie_ = *cookie;
    directory_ = Fd(open(place_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct stat status;
    ASSERT_EQ(fstat(directory_.get(), &status), 0);
    cgroup_.id = status.st_ino;
    // The root alone has no such file.
    for (std::string path = place_.path(); access((path + "/cgroup.events").c_str(), F_OK) == 0;
         path += "/..")
      ++cgroup_.level;
    absl::StatusOr<Hooks> hooks = Hooks::Load();
    ASSERT_TRUE(hooks.ok()) << hooks.status();
    hooks_.emplace(*std::move(hooks));
    const absl::Status attached = hooks_->Attach(directory_);
    ASSERT_TRUE(attached.ok()) << attached;
  }

  // Has a child in the cgroup and the namespace make sockets.
  void ConnectAll(std::uint64_t seed) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const Fd procs(open((place_.path() + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
      Must(write(procs.get(), "0", 1) == 1, "join the cgroup");
      Must(EnterNetns(netns_.fd()).ok(), "enter the namespace");
      Draw draw(seed);
      for (int i = 0; i < kSockets; ++i) Connect(draw, i % 10 == 0 ? 2 : 1);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }

  const lab::Netns netns_ = lab::Netns::Create().value();
  const lab::TestCgroup place_ = lab::TestCgroup::Create().value();
  Cgroup cgroup_;
  std::uint64_t cookie_ = 0;
  Fd directory_;
  std::optional<Hooks> hooks_;
};

bool SameBytes(const srcsel_decision &a, const srcsel_decision &b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

std::string Text(const srcsel_decision &d) {
  return absl::StrCat(ReasonText(d.reason), " apply ", d.apply, " policy ", d.policy, " mark ",
                      d.mark, "/", d.mark_mask, " rule ", d.rule, " table ", d.table, " oif ",
                      d.oif, " source ", d.source[0], ".", d.source[1], ".", d.source[2], ".",
                      d.source[3]);
}

TEST_F(BpfTest, DecidesAsTheNativeEngineDoes) {
  Draw draw(Seed());
  std::array<int, SRCSEL_WHY_COUNT> counts{};
  std::array<int, 3> operations{};
  int chosen = 0;  // of the addresses that no route names
  EventReader reader = EventReader::Open(*hooks_, Hooks::Told::kAll).value();
  for (int world = 0; world < kWorlds; ++world) {
    const std::uint64_t netns = world % 8 == 7 ? cookie_ + 1 : cookie_;
    const Image image =
        Compile(DrawState(draw, netns), DrawPolicy(draw, cgroup_), world + 1u).value();
    ASSERT_TRUE(hooks_->Publish(image.bytes()).ok());
    ConnectAll(draw.Below(1u << 31));
    const std::vector<srcsel_event> events = reader.Read();
    int connects = 0;
    for (const srcsel_event &event : events) {
      ++counts[event.decision.reason];
      ++operations[event.flow.operation];
      connects += event.flow.operation != SRCSEL_CREATE;
      EXPECT_EQ(event.decision.generation, world + 1u);
      EXPECT_EQ(event.flow.netns, cookie_);
      EXPECT_EQ(event.cgroup, cgroup_.id);
      srcsel_decision native = Decide(image, event.flow);
      if (event.decision.reason == SRCSEL_WHY_REFUSED ||
          event.decision.reason == SRCSEL_WHY_NO_PORT) {
        EXPECT_NE(event.error, 0);
        EXPECT_NE(native.apply, 0u);
        native.reason = event.decision.reason;
      }
      if (native.apply & SRCSEL_APPLY_PORTS && event.error == 0) {
        EXPECT_EQ(event.decision.port_first, event.decision.port_last);
        EXPECT_GE(event.decision.port_first, native.port_first);
        EXPECT_LE(event.decision.port_last, native.port_last);
        native.port_first = native.port_last = event.decision.port_first;
      }
      ASSERT_TRUE(SameBytes(event.decision, native))
          << "world " << world << "\n  BPF    " << Text(event.decision) << "\n  native "
          << Text(native);
      const __u8 *source = native.source;
      chosen += native.reason == SRCSEL_WHY_TABLE && event.flow.family == SRCSEL_V6 &&
                (source[15] == 3 || source[15] == 4);
    }
    ASSERT_EQ(connects, Connects());
  }
  std::cout << "chosen among addresses " << chosen << '\n';
  EXPECT_GT(chosen, 0);
  for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason) {
    std::cout << ReasonText(reason) << ' ' << counts[reason] << '\n';
    // Too rare to count on.
    if (reason == SRCSEL_WHY_NO_SOURCE || reason == SRCSEL_WHY_NO_MEMBER) continue;
    // No socket here is older than the hooks.
    EXPECT_EQ(counts[reason] > 0, reason != SRCSEL_WHY_NO_IMAGE && reason != SRCSEL_WHY_OLD)
        << ReasonText(reason);
  }
  EXPECT_THAT(operations, testing::Each(testing::Gt(0)));
}

TEST_F(BpfTest, CountsWhatItTells) {
  Draw draw(Seed());
  std::array<std::uint64_t, SRCSEL_WHY_COUNT> expected{};
  ASSERT_NO_FATAL_FAILURE(ConnectAll(1));
  expected[SRCSEL_WHY_NO_IMAGE] = static_cast<std::uint64_t>(Connects());
  EXPECT_EQ(ReadCounters(directory_).value(), expected);

  EventReader reader = EventReader::Open(*hooks_, Hooks::Told::kAll).value();
  const Image image = Compile(DrawState(draw, cookie_), DrawPolicy(draw, cgroup_), 1).value();
  ASSERT_TRUE(hooks_->Publish(image.bytes()).ok());
  ASSERT_NO_FATAL_FAILURE(ConnectAll(2));
  // Marks that sockets get as they are made are told, not counted.
  for (const srcsel_event &event : reader.Read())
    if (event.flow.operation != SRCSEL_CREATE) ++expected[event.decision.reason];
  EXPECT_EQ(ReadCounters(directory_).value(), expected);
}

TEST_F(BpfTest, DecidesNothingOnAnImageOfAnotherVersion) {
  Draw draw(Seed());
  const Image image = Compile(DrawState(draw, cookie_), DrawPolicy(draw, cgroup_), 1).value();
  std::vector<std::byte> bytes(image.bytes().begin(), image.bytes().end());
  bytes[offsetof(srcsel_header, version)] ^= std::byte{2};
  ASSERT_TRUE(hooks_->Publish(bytes).ok());
  ASSERT_NO_FATAL_FAILURE(ConnectAll(1));
  EXPECT_EQ(ReadCounters(directory_).value()[SRCSEL_WHY_NO_IMAGE],
            static_cast<std::uint64_t>(Connects()));
}

}  // namespace
}  // namespace srcsel
