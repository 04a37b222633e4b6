// Programs of others on the cgroup of an `up`, or on one above it, that were there first or come
// later: they are asked as before, and so are ours.

#include "lab/egress.hh"
#include "lab/run_neighbour.hh"
#include "lab/up_scene.hh"

namespace srcsel::lab {
namespace {

struct Place {
  const char *name;
  bool above, first;
};

void PrintTo(const Place &place, std::ostream *out) {
  *out << place.name;
}

class UpNeighboursTest : public UpTest, public testing::WithParamInterface<Place> {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_TRUE(RouteBySource(lab_).ok());
    ASSERT_TRUE(std::filesystem::create_directory(inner_));
  }

  void Attach() {
    const Fd cgroup = OpenCgroup(GetParam().above ? outer_.path() : inner_).value();
    for (const bpf_attach_type type :
         {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_UDP4_SENDMSG,
          BPF_CGROUP_UDP6_SENDMSG, BPF_CGROUP_INET_SOCK_CREATE}) {
      neighbours_.push_back(Neighbour::Load(type).value());
      ASSERT_TRUE(neighbours_.back().Attach(cgroup).ok());
    }
  }

  // What left for the servers, of sockets that connect and of sockets that only send.
  void ExpectSources(const std::string &source4, const std::string &source6) {
    Egress egress = Egress::Start(client_).value();
    for (const auto &[server, source] : {std::pair{kServer4, source4}, {kServer6, source6}}) {
      for (const char *how : {"-u", "-s"})
        ASSERT_TRUE(client_.Run(CommandOf({DIAL, how, server, "53"}, inner_))->ok());
      std::size_t sent = 0;
      for (const int device : {0, 1}) {
        const std::set<Egress::Flow> flows =
            egress.FlowsBy(device, IpAddress::Parse(server).value()).value();
        for (const auto &[from, to] : flows) EXPECT_EQ(from.address.ToString(), source);
        sent += flows.size();
      }
      EXPECT_EQ(sent, 2);
    }
  }

  // Each hook is asked once for that, and the one for sockets four times.
  std::vector<std::uint64_t> Asked() const {
    std::vector<std::uint64_t> asked;
    for (const Neighbour &neighbour : neighbours_) asked.push_back(neighbour.Count().value());
    return asked;
  }

  TestCgroup outer_ = TestCgroup::Create().value();
  const std::string inner_ = outer_.path() + "/inner";
  std::vector<Neighbour> neighbours_;
};

INSTANTIATE_TEST_SUITE_P(, UpNeighboursTest,
                         testing::Values(Place{"OnTheSameCgroupFirst", false, true},
                                         Place{"OnTheSameCgroupLater", false, false},
                                         Place{"OnACgroupAboveFirst", true, true},
                                         Place{"OnACgroupAboveLater", true, false}),
                         [](const auto &place) { return place.param.name; });

TEST_P(UpNeighboursTest, AllAreAskedOfEveryHook) {
  using ::testing::ElementsAre;
  if (GetParam().first) Attach();
  const Result up = Srcsel({"up", "-q", "--cgroup", inner_, "--policy",
                            PolicyFile("[[rule]]\nsource = ['10.1.0.2', 'fd00:1::2']\n")});
  ASSERT_TRUE(up.ok()) << up.ToString();
  if (!GetParam().first) Attach();
  ExpectSources(kUnicomOtherSource4, kUnicomOtherSource6);
  EXPECT_THAT(Asked(), ElementsAre(1, 1, 1, 1, 4));
  // Programs are exchanged, those of others stay.
  KillFollower();
  ASSERT_TRUE(
      Srcsel({"up", "-q", "--cgroup", inner_, "--policy", folder_.path() + "/p.toml"}).ok());
  ExpectSources(kUnicomOtherSource4, kUnicomOtherSource6);
  EXPECT_THAT(Asked(), ElementsAre(2, 2, 2, 2, 8));
  ASSERT_TRUE(Srcsel({"down", "-q"}).ok());
  ExpectSources(kTelecomSource4, kTelecomSource6);
  EXPECT_THAT(Asked(), ElementsAre(3, 3, 3, 3, 12));
}

// Programs of a cgroup further down are asked first.
class UpRefusedTest : public UpTest {
 protected:
  void SetUp() override {
    UpTest::SetUp();
    ASSERT_TRUE(std::filesystem::create_directory(inner_));
  }

  void Refuse(bpf_attach_type type) {
    neighbours_.push_back(Neighbour::Load(type, true).value());
    ASSERT_TRUE(neighbours_.back().Attach(OpenCgroup(inner_).value()).ok());
  }

  void Up(const std::string &policy) {
    const Result up =
        Srcsel({"up", "-q", "--cgroup", outer_.path(), "--policy", PolicyFile(policy)});
    ASSERT_TRUE(up.ok()) << up.ToString();
  }

  std::string Python(const std::string &program) {
    return client_.Run(CommandOf({"/usr/bin/python3", "-c", program}, inner_))->out;
  }

  const TestCgroup outer_ = TestCgroup::Create().value();
  const std::string inner_ = outer_.path() + "/inner";
  std::vector<Neighbour> neighbours_;
};

TEST_F(UpRefusedTest, LeavesNothingOnTheSocket) {
  Refuse(BPF_CGROUP_INET4_CONNECT);
  Refuse(BPF_CGROUP_UDP4_SENDMSG);
  Up("[[rule]]\nto = '192.0.2.0/24'\nmark = 100\nsource = '10.1.0.2'\n");
  const std::string attempts =
      "import socket as s\n"
      "def attempt(kind, way):\n"
      "  socket = s.socket(s.AF_INET, kind)\n"
      "  try: way(socket)\n"
      "  except OSError as error: said = error.errno\n"
      "  else: said = 'done'\n"
      "  print(said, socket.getsockopt(s.SOL_SOCKET, s.SO_MARK), socket.getsockname()[0])\n"
      "attempt(s.SOCK_STREAM, lambda socket: socket.connect(('192.0.2.80', 9)))\n"
      "attempt(s.SOCK_DGRAM, lambda socket: socket.connect(('192.0.2.80', 9)))\n"
      "attempt(s.SOCK_DGRAM, lambda socket: socket.sendto(b'', ('192.0.2.80', 9)))\n";
  EXPECT_EQ(Python(attempts), "1 0 0.0.0.0\n1 0 0.0.0.0\n1 0 0.0.0.0\n");
}

TEST_F(UpRefusedTest, TakesNoTurn) {
  Refuse(BPF_CGROUP_UDP4_SENDMSG);
  Up("[[rule]]\nsource = 'pool both'\n"
     "[pool.both]\nmembers = ['10.1.0.1', '10.1.0.2']\npick = 'round-robin'\n");
  const std::string attempts =
      "import socket as s\n"
      "for i in range(4):\n"
      "  try: s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'', ('192.0.2.80', 9))\n"
      "  except PermissionError: pass\n"
      "  else: print('sent')\n"
      "  socket = s.socket(s.AF_INET, s.SOCK_DGRAM)\n"
      "  socket.connect(('192.0.2.80', 9))\n"
      "  print(socket.getsockname()[0][-1])\n";
  EXPECT_THAT(Python(attempts), testing::AnyOf("1\n2\n1\n2\n", "2\n1\n2\n1\n"));
}

}  // namespace
}  // namespace srcsel::lab
