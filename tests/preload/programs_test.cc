// Programs that use sockets hard, under the preload of an ordinary user: all of what they do works,
// and all of it leaves by Unicom, the only provider through which this server answers.

#include <csignal>

#include "lab/servers.hh"
#include "preload/preload_scene.hh"

namespace srcsel::lab {
namespace {

using ::testing::HasSubstr;

constexpr char kFetchByNode[] =
    "const http = require('http'); let left = 200;\n"
    "for (let i = 0; i < 200; ++i) http.get('http://192.0.2.80/', r => { r.resume();\n"
    "  r.on('end', () => { if (--left === 0) console.log('all'); }); });";
constexpr char kFetchByPython[] =
    "import asyncio\n"
    "async def get(i):\n"
    "  r, w = await asyncio.open_connection('192.0.2.80' if i % 2 else '2001:db8:80::80', 80)\n"
    "  w.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
    "  text = await r.read()\n"
    "  w.close()\n"
    "  return text.endswith(b'hello\\n')\n"
    "async def main():\n"
    "  print(sum(await asyncio.gather(*(get(i) for i in range(300)))))\n"
    "asyncio.run(main())";

class PreloadProgramsTest : public PreloadTest {
 protected:
  PreloadProgramsTest() {
    EXPECT_TRUE(RouteBySource(lab_).ok());
    EXPECT_TRUE(server_.Ip("route replace blackhole 10.0.0.0/24").ok());
    EXPECT_TRUE(server_.Ip("-6 route replace blackhole fd00::/64").ok());
  }

  Result Under(const Words &words) const { return Run(Srcsel({"--mark", "100"}, words)); }
  void ExpectAnswer(const Words &words, const char *part) const {
    const Result result = Under(words);
    EXPECT_TRUE(result.ok()) << words[0] << ": " << result.ToString();
    EXPECT_THAT(result.out, HasSubstr(part)) << words[0] << ": " << result.err;
  }
  Process Serve(Words words, const char *ready) const {
    Process server = server_.Spawn({.argv = std::move(words), .cwd = here_.path()}).value();
    EXPECT_TRUE(server.WaitForLine(ready).ok());
    return server;
  }

  const Host &server_ = lab_.host("server");
};

TEST_F(PreloadProgramsTest, FetchPages) {
  const Nginx nginx = Nginx::Start(server_, /*access_log=*/false).value();
  for (const std::string url : {"http://192.0.2.80/", "http://[2001:db8:80::80]/"}) {
    ExpectAnswer({"curl", "-sS", "--max-time", "20", "--write-out", "%{local_ip}", url},
                 url.size() < 20 ? "10.1.0.1" : "fd00:1::1");
    ExpectAnswer({"wget", "-qO-", "--timeout=20", "--tries=1", url}, "hello");
  }
  const Result many =
      Under({"curl", "-sS", "--parallel", "--parallel-max", "50", "--max-time", "30",
             "--no-keepalive", "-H", "Connection: close", "http://192.0.2.80/?[1-400]"});
  EXPECT_TRUE(many.ok()) << many.ToString();
  EXPECT_EQ(many.out.size(), 400 * std::string("hello\n").size());
  ExpectAnswer({"node", "-e", kFetchByNode}, "all");
  ExpectAnswer({"/usr/bin/python3", "-c", kFetchByPython}, "300");
}

TEST_F(PreloadProgramsTest, LogInBySsh) {
  const std::string host_key = here_.path() + "/host_key";
  ASSERT_TRUE(server_.Do("dropbearkey -t ed25519 -f " + host_key).ok());
  Process sshd =
      Serve({"dropbear", "-F", "-E", "-m", "-r", host_key, "-P", here_.path() + "/pid", "-p", "22"},
            "Not backgrounding");
  const Result ssh = Under({"ssh", "-F", "none", "-o", "BatchMode=yes", "-o",
                            "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o",
                            "ConnectTimeout=20", "nobody@192.0.2.80", "true"});
  EXPECT_THAT(ssh.err, HasSubstr("Permission denied")) << "no answer from the server";
  EXPECT_TRUE(sshd.WaitForLine("from 10.1.0.1:").ok());
}

TEST_F(PreloadProgramsTest, MeasureByIperf) {
  const Process server = Serve({"iperf3", "--server", "--one-off", "--forceflush"}, "listening");
  ExpectAnswer({"iperf3", "--client", kServer4, "--bytes", "20M", "--parallel", "4"},
               "local 10.1.0.1 port");
}

TEST_F(PreloadProgramsTest, PassOnRequestsByNginx) {
  Nginx nginx = Nginx::Start(server_).value();
  ASSERT_TRUE(
      here_
          .Write("proxy.conf", "daemon off; worker_processes 2; pid " + here_.path() +
                                   "/proxy.pid; error_log stderr notice; events {}\n"
                                   "http { access_log off; server { listen 127.0.0.1:8080;\n"
                                   "location / { proxy_pass http://192.0.2.80; } } }\n")
          .ok());
  // Its workers become other users, and keep to the image.
  Process proxy = client_
                      .Spawn({.argv = SrcselWords({"--source", "10.1.0.1"},
                                                  {"nginx", "-p", here_.path(), "-e", "stderr",
                                                   "-c", here_.path() + "/proxy.conf"})})
                      .value();
  ASSERT_TRUE(proxy.WaitForLine("start worker processes").ok());
  const Result curl = Run({.argv = {"curl", "-sS", "--max-time", "20", "http://127.0.0.1:8080/"}});
  EXPECT_EQ(curl.out, "hello\n") << curl.ToString();
  EXPECT_EQ(nginx.NextRequest()->client.address.ToString(), kUnicomSource4);
  // Workers outlive a master that is killed.
  ASSERT_TRUE(proxy.Signal(SIGTERM).ok());
  EXPECT_EQ(proxy.Wait().status, 0);
}

}  // namespace
}  // namespace srcsel::lab
