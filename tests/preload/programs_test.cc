// Programs that use sockets hard, under the preload of an ordinary user: what they do works, leaves
// by Unicom, and takes no longer than without.

#include "preload/programs_scene.hh"

namespace srcsel::lab {
namespace {

// Each: one connection a request, PORT of 192.0.2.80 and 2001:db8:80::80, COUNT times.
constexpr char kFetchByNode[] =
    "const http = require('http'), [port, count] = process.argv.slice(1).map(Number);\n"
    "let begun = 0, ended = 0;\n"
    "const next = () => { if (begun++ < count) http.get({ port, agent: false,\n"
    "  host: begun % 2 ? '192.0.2.80' : '2001:db8:80::80' }, r => { r.resume();\n"
    "  r.on('end', () => { if (++ended === count) console.log('all'); next(); }); }); };\n"
    "for (let i = 0; i < 50; ++i) next();";
constexpr char kFetchByPython[] =
    "import asyncio, sys\n"
    "port, count = map(int, sys.argv[1:])\n"
    "async def get(i, turn):\n"
    "  async with turn:\n"
    "    r, w = await asyncio.open_connection('192.0.2.80' if i % 2 else '2001:db8:80::80', port)\n"
    "    w.write(b'GET / HTTP/1.0\\r\\n\\r\\n')\n"
    "    text = await r.read()\n"
    "    w.close()\n"
    "    return text.endswith(b'hello\\n')\n"
    "async def main():\n"
    "  turn = asyncio.Semaphore(200)\n"
    "  print(sum(await asyncio.gather(*(get(i, turn) for i in range(count)))), 'of', count)\n"
    "asyncio.run(main())";

TEST_F(ProgramsTest, Curl) {
  ServePages();
  for (const std::string host : {"192.0.2.80", "[2001:db8:80::80]"})
    Compare({"curl " + host,
             [&](Way way) {
               return CurlMany(absl::StrCat("http://", host, ":", Port(way)), Many(400, 3000));
             },
             "hello\n"});
}

TEST_F(ProgramsTest, Wget) {
  ServePages();
  for (const Way way : {kWithout, kImage, kKernel}) {
    std::string urls;
    for (int i = 0; i < Many(100, 1500); ++i)
      absl::StrAppend(&urls, "http://", i % 2 ? "192.0.2.80" : "[2001:db8:80::80]", ":", Port(way),
                      "/", i, "\n");
    ASSERT_TRUE(here_.Write(absl::StrCat("urls", way), urls).ok());
  }
  Compare({"wget",
           [&](Way way) {
             return Words{"wget",
                          "-qO-",
                          "--timeout=20",
                          "--tries=1",
                          "--no-http-keep-alive",
                          "-i",
                          absl::StrCat(here_.path(), "/urls", way)};
           },
           "hello\n"});
}

TEST_F(ProgramsTest, Python) {
  ServePages();
  const std::string count = absl::StrCat(Many(300, 2000));
  Compare({"python3 asyncio",
           [&](Way way) {
             return Words{"/usr/bin/python3", "-c", kFetchByPython, absl::StrCat(Port(way)), count};
           },
           count + " of " + count});
}

TEST_F(ProgramsTest, Node) {
  ServePages();
  Compare({"node",
           [&](Way way) {
             return Words{"node", "-e", kFetchByNode, absl::StrCat(Port(way)),
                          absl::StrCat(Many(300, 4000))};
           },
           "all"});
}

// Its workers ask the server for each request.
TEST_F(ProgramsTest, NginxThatPassesOn) {
  ServePages();
  Serve(
      client_,
      [this](Way way) {
        return Nginx(
            absl::StrCat("proxy", way),
            absl::StrCat("listen 127.0.0.1:", Port(way),
                         "; location / { proxy_pass http://192.0.2.80:", Port(way), "; }"));
      },
      "start worker processes");
  Compare({"nginx, proxy",
           [&](Way way) {
             return CurlMany(absl::StrCat("http://127.0.0.1:", Port(way)), Many(400, 3000));
           },
           "hello\n"});
}

TEST_F(ProgramsTest, Iperf) {
  Serve(
      server_,
      [](Way way) {
        return Words{"iperf3", "--server", "--forceflush", "--port", absl::StrCat(Port(way))};
      },
      "listening");
  Compare({"iperf3",
           [&](Way way) {
             return Words{"iperf3",
                          "--client",
                          kServer4,
                          "--bytes",
                          Many(0, 1) ? "1G" : "20M",
                          "--parallel",
                          "4",
                          "--port",
                          absl::StrCat(Port(way))};
           },
           "receiver"});
}

TEST_F(ProgramsTest, Ssh) {
  const std::string key = here_.path() + "/host_key";
  ASSERT_TRUE(server_.Do("dropbearkey -t ed25519 -f " + key).ok());
  Process server = server_
                       .Spawn({.argv = {"dropbear", "-F", "-E", "-m", "-r", key, "-P",
                                        here_.path() + "/pid", "-p", "22"}})
                       .value();
  ASSERT_TRUE(server.WaitForLine("Not backgrounding").ok());
  const Result ssh = Run(Under(
      kImage, client_,
      {"ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o",
       "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=20", "nobody@192.0.2.80", "true"}));
  EXPECT_THAT(ssh.err, testing::HasSubstr("Permission denied")) << "no answer from the server";
  EXPECT_TRUE(server.WaitForLine("from 10.1.0.1:").ok());
}

}  // namespace
}  // namespace srcsel::lab
