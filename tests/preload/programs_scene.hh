// The fixture of the programs' tests: pages to fetch, served by nginx as an ordinary user runs it.

#pragma once

#include <string>

#include "preload/side_by_side.hh"

namespace srcsel::lab {

// The file nginx.conf in `home`; `server` is what its one server does.
inline std::string NginxFile(const std::string &home, const std::string &server) {
  return absl::StrCat("daemon off; worker_processes 2; pid ", home,
                      "/pid; error_log stderr notice;\n",
                      "events { worker_connections 4096; }\nhttp { access_log off;\n",
                      "client_body_temp_path ", home, "/body; proxy_temp_path ", home,
                      "/proxy; fastcgi_temp_path ", home, "/fastcgi; uwsgi_temp_path ", home,
                      "/uwsgi; scgi_temp_path ", home, "/scgi;\nserver { ", server, " } }\n");
}

class ProgramsTest : public SideBySideTest {
 protected:
  static int Port(Way way) { return 8000 + way; }

  // On the server, in every way: "hello" to whoever asks.
  void ServePages() {
    Serve(
        server_,
        [this](Way way) {
          return Nginx(absl::StrCat("server", way),
                       absl::StrCat("listen ", Port(way), " backlog=4096; listen [::]:", Port(way),
                                    " backlog=4096; location / { return 200 \"hello\\n\"; }"));
        },
        "start worker processes");
  }

  Words Nginx(const std::string &name, const std::string &server) const {
    const std::string home = Home(name);
    EXPECT_TRUE(here_.Write(name + "/nginx.conf", NginxFile(home, server)).ok());
    return {"nginx", "-p", home, "-e", "stderr", "-c", home + "/nginx.conf"};
  }

  Words CurlMany(const std::string &url, int count) const {
    return {"curl",
            "-sS",
            "--fail",
            "--parallel",
            "--parallel-max",
            "50",
            "--max-time",
            "30",
            "-H",
            "Connection: close",
            absl::StrCat(url, "/?[1-", count, "]")};
  }
};

}  // namespace srcsel::lab
