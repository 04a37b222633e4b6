// Programs people use, under a policy file: each must leave by Unicom, the only provider through
// which this server answers. Without srcsel they wait for an answer in vain.

#include <utility>

#include "lab/run_scene.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;

constexpr char kFetchByNode[] =
    "require('http').get('http://192.0.2.80/', r => r.pipe(process.stdout))";
constexpr char kFetchByPython[] =
    "import asyncio, urllib.request as u\n"
    "async def main():\n"
    "  get = lambda: u.urlopen('http://192.0.2.80/', timeout=20).read().decode()\n"
    "  print(*await asyncio.gather(*(asyncio.to_thread(get) for _ in range(8))))\n"
    "asyncio.run(main())";

class RunProgramsTest : public RunTest {
 protected:
  RunProgramsTest() {
    EXPECT_TRUE(server_.Ip("route replace blackhole 10.0.0.0/24").ok());
    EXPECT_TRUE(server_.Ip("-6 route replace blackhole fd00::/64").ok());
    EXPECT_TRUE(files_.Write("p.toml", "[[rule]]\nmark = 100\n").ok());
  }

  Result UnderPolicy(const Words &words) const {
    return Run({"--policy", files_.path() + "/p.toml"}, words);
  }
  void ExpectAnswer(const Words &words, const char *part) const {
    const Result result = UnderPolicy(words);
    EXPECT_TRUE(result.ok()) << result.ToString();
    EXPECT_THAT(result.out, HasSubstr(part)) << words[0] << ": " << result.err;
  }
  Process Serve(Words words, const char *ready) const {
    Process server = server_.Spawn({.argv = std::move(words), .cwd = files_.path()}).value();
    EXPECT_TRUE(server.WaitForLine(ready).ok());
    return server;
  }

  const Host &server_ = lab_.host("server");
  TempDir files_ = TempDir::Make().value();
};

TEST_F(RunProgramsTest, FetchAPage) {
  const Nginx nginx = Nginx::Start(server_, /*access_log=*/false).value();
  for (const std::string server : {kServer4, kServer6}) {
    ExpectAnswer({"curl", "-sS", "--max-time", "20", Url(server)}, "hello");
    ExpectAnswer({"wget", "-qO-", "--timeout=20", "--tries=1", Url(server)}, "hello");
    ExpectAnswer({GET, server, "80"}, server == kServer4 ? "10.1.0.1" : "fd00:1::1");
  }
  ExpectAnswer({"node", "-e", kFetchByNode}, "hello");
  ExpectAnswer({"python3", "-c", kFetchByPython}, "hello");
  EXPECT_EQ(RunPlain({"curl", "-sS", "--max-time", "1", Url(kServer4)}).status, 28)
      << "the server answered through Telecom";
}

TEST_F(RunProgramsTest, TalkByNetcat) {
  Process nc = Serve({"nc", "-n", "-v", "-l", "-p", "7"}, "Listening");
  EXPECT_TRUE(UnderPolicy({"nc", "-n", "-N", "-w", "20", kServer4, "7"}).ok());
  EXPECT_THAT(nc.Wait().err, HasSubstr("Connection received on 10.1.0.1 "));
}

TEST_F(RunProgramsTest, Ping) {
  for (const char *server : {kServer4, kServer6})
    ExpectAnswer({"ping", "-n", "-c", "1", "-W", "20", server}, "1 received");
  EXPECT_EQ(RunPlain({"ping", "-n", "-c", "1", "-W", "1", kServer4}).status, 1);
}

TEST_F(RunProgramsTest, AskForAName) {
  const Process dnsmasq =
      Serve({"dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
             "--pid-file", "--user=root", "--address=/lab.example/203.0.113.99"},
            "started");
  for (const char *server : {kServer4, kServer6}) {
    const std::string at = std::string("@") + server;
    ExpectAnswer({"dig", "+short", "+tries=1", "+time=20", at, "lab.example"}, "203.0.113.99");
    ExpectAnswer({"dig", "+short", "+tcp", "+tries=1", "+time=20", at, "lab.example"},
                 "203.0.113.99");
  }
}

TEST_F(RunProgramsTest, LogInBySsh) {
  const std::string key = files_.path() + "/key", host_key = files_.path() + "/host_key";
  ASSERT_TRUE(server_.Do("dropbearkey -t ed25519 -f " + host_key).ok());
  ASSERT_TRUE(RunPlain({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key}).ok());
  // Who may log in is said in root's home, which is this test's for the server alone.
  Process sshd = Serve({"unshare", "--mount", "sh", "-c",
                        "mkdir .ssh && cp key.pub .ssh/authorized_keys && mount --bind . ~root && "
                        "exec dropbear -F -E -m -s -r host_key -P pid -p 22"},
                       "Not backgrounding");
  for (const char *server : {kServer4, kServer6})
    ExpectAnswer({"ssh", "-F", "none", "-i", key, "-o", "BatchMode=yes", "-o",
                  "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                  "ConnectTimeout=20", std::string("root@") + server, "echo in: $SSH_CONNECTION"},
                 server == kServer4 ? "in: 10.1.0.1 " : "in: fd00:1::1 ");
  EXPECT_TRUE(sshd.WaitForLine("from 10.1.0.1:").ok());
}

TEST_F(RunProgramsTest, MeasureByIperf) {
  const Process server = Serve({"iperf3", "--server", "--one-off", "--forceflush"}, "listening");
  ExpectAnswer({"iperf3", "--client", kServer4, "--bytes", "1M", "--parallel", "2"},
               "local 10.1.0.1 port");
}

TEST_F(RunProgramsTest, PassOnRequestsByNginx) {
  Nginx nginx = Nginx::Start(server_).value();
  ASSERT_TRUE(
      files_
          .Write("proxy.conf", "daemon off; master_process off; pid " + files_.path() +
                                   "/proxy.pid; error_log stderr notice; events {}\n"
                                   "http { access_log off; server { listen 127.0.0.1:8080;\n"
                                   "location / { proxy_pass http://192.0.2.80; } } }\n")
          .ok());
  Process proxy =
      Spawn({"--policy", files_.path() + "/p.toml"},
            {"nginx", "-p", files_.path(), "-e", "stderr", "-c", files_.path() + "/proxy.conf"});
  ASSERT_TRUE(proxy.WaitForLine("event method").ok());
  const Result curl = RunPlain({"curl", "-sS", "--max-time", "20", "http://127.0.0.1:8080/"});
  EXPECT_EQ(curl.out, "hello\n") << curl.ToString();
  EXPECT_EQ(nginx.NextRequest()->client.address.ToString(), kUnicomSource4);
}

}  // namespace
}  // namespace srcsel::lab
