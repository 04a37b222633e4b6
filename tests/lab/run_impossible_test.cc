// The cells of the table of ways (run_paths_test.cc) that the kernel makes impossible: what a hook
// would have to do there fails without srcsel too, or no hook is asked.

#include <linux/bpf.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <bpf/bpf.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>

#include "lab/run_custody.hh"
#include "lab/run_neighbour.hh"
#include "lab/run_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::Each;
using ::testing::Pair;

class RunImpossibleTest : public RunTest {
 protected:
  // errno of binding a socket of the client to the address and port; 0 if it can be bound.
  static int Bind(const Fd &socket, const IpAddress &address, int port) {
    sockaddr_in6 six{};
    sockaddr_in four{};
    six.sin6_family = AF_INET6;
    four.sin_family = AF_INET;
    six.sin6_port = four.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool v4 = address.is_v4();
    if (v4)
      std::memcpy(&four.sin_addr, address.bytes().data(), sizeof(four.sin_addr));
    else
      std::memcpy(&six.sin6_addr, address.bytes().data(), sizeof(six.sin6_addr));
    const auto *name =
        v4 ? reinterpret_cast<sockaddr *>(&four) : reinterpret_cast<sockaddr *>(&six);
    return bind(socket.get(), name, v4 ? socklen_t{sizeof(four)} : socklen_t{sizeof(six)}) == 0
               ? 0
               : errno;
  }
};

// bound-to-any, with a source, a pool, ports: a socket that has a port is bound no second time.
TEST_F(RunImpossibleTest, WhatIsBoundToAnyAddressCannotBeBoundToOne) {
  const absl::Status done = Within(client_.netns().fd(), [&] {
    for (const auto &[any, source] :
         {std::pair{"0.0.0.0", kUnicomSource4}, std::pair{"::", kUnicomSource6}})
      for (const int type : {SOCK_STREAM, SOCK_DGRAM})
        for (const int port : {0, 20000}) {
          const IpAddress to = IpAddress::Parse(source).value();
          const int family = to.is_v4() ? AF_INET : AF_INET6;
          const Fd fresh(socket(family, type | SOCK_CLOEXEC, 0));
          EXPECT_EQ(Bind(fresh, to, port), 0) << source;
          const Fd bound(socket(family, type | SOCK_CLOEXEC, 0));
          EXPECT_EQ(Bind(bound, IpAddress::Parse(any).value(), 0), 0);
          EXPECT_EQ(Bind(bound, to, port), EINVAL) << source << " " << port;
        }
    return absl::OkStatus();
  });
  ASSERT_TRUE(done.ok()) << done;
}

// Datagrams that are sent, with ports: the verifier lets no program bind a socket there.
TEST_F(RunImpossibleTest, NoProgramBindsASocketThatOnlySends) {
  const auto load = [](bpf_attach_type type) {
    const bpf_insn program[] = {
        // bind(ctx, stack - 16, 16)
        {BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -16, AF_INET},
        {BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0},
        {BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0},
        {BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -16},
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_3, 0, 0, 16},
        {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_bind},
        {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1},
        {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
    };
    LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = type);
    return Fd(bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, "binds", "GPL", program,
                            std::size(program), &options));
  };
  for (const bpf_attach_type type : {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT})
    EXPECT_TRUE(load(type)) << type << ": " << std::strerror(errno);
  for (const bpf_attach_type type : {BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG})
    EXPECT_FALSE(load(type)) << type;
}

// ping-sendto, raw, raw-sendto, with a source, a pool, ports: no hook runs that knows a
// destination.
class RunUnhookedTest : public RunImpossibleTest {
 protected:
  void SetUp() override {
    ASSERT_TRUE(RunPlain({"sysctl", "-qw", "net.ipv4.ping_group_range=0 0"}).ok());
    ASSERT_EQ(server_.WaitForLine("").value(), "listening");
    const Fd cgroup = OpenCgroup(cgroup_.path()).value();
    for (const bpf_attach_type type : {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT,
                                       BPF_CGROUP_UDP4_SENDMSG, BPF_CGROUP_UDP6_SENDMSG}) {
      hooks_.emplace(type, Neighbour::Load(type).value());
      ASSERT_TRUE(hooks_.at(type).Attach(cgroup).ok());
    }
  }

  // How often each hook has run by the end of these ways, to both servers.
  std::map<bpf_attach_type, std::uint64_t> RunsOf(const Words &ways) const {
    Words words{"/usr/bin/python3", PROGRAMS "/ways.py"};
    for (const std::string &way : ways) words.insert(words.end(), {way, kServer4, way, kServer6});
    const Result result = RunPlain(words);
    EXPECT_TRUE(result.ok()) << result.ToString();
    EXPECT_EQ(static_cast<std::size_t>(std::count(result.out.begin(), result.out.end(), ' ')),
              3 * 2 * ways.size())
        << result.out;
    std::map<bpf_attach_type, std::uint64_t> runs;
    for (const auto &[type, hook] : hooks_) runs[type] = hook.Count().value();
    return runs;
  }

  Process server_ = lab_.host("server").Spawn({.argv = {"python3", PROGRAMS "/whoami.py"}}).value();
  std::map<bpf_attach_type, Neighbour> hooks_;
};

TEST_F(RunUnhookedTest, NoHookSeesWhatRawSocketsAndUnconnectedPingSocketsSend) {
  EXPECT_THAT(RunsOf({"ping-sendto", "raw", "raw-sendto"}), Each(Pair(testing::_, 0)));
  EXPECT_THAT(RunsOf({"ping", "sendto"}), Each(Pair(testing::_, 1)));
}

}  // namespace
}  // namespace srcsel::lab
