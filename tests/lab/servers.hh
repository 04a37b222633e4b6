// Real servers on a host of a lab: nginx, and a small FTP server.
//
// Start() returns once the server listens (its own log says so). Each keeps its files in a
// directory of its own under /tmp, removed with the object. Like any Process, a server dies with
// the thread that started it.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lab/host.hh"
#include "lab/temp_dir.hh"

namespace srcsel::lab {

// What nginx knows of a request.
struct Request {
  Endpoint client, server;
};

// One nginx process, port 80, every address of both families; answers any path with "hello\n".
class Nginx {
 public:
  // Without an access log it runs for as long and as fast as one likes. With it, the requests wait
  // in a pipe: after a thousand that nobody asked for, nginx stands still.
  static absl::StatusOr<Nginx> Start(const Host &host, bool access_log = true);

  // The next request served. nginx writes it down after the client has got its answer, so there is
  // something to wait for.
  absl::StatusOr<Request> NextRequest(Deadline deadline = kPatience);

  pid_t pid() const { return process_.pid(); }

 private:
  Nginx(TempDir files, Process process) : files_(std::move(files)), process_(std::move(process)) {}

  TempDir files_;
  Process process_;
};

// pyftpdlib on port 21 of every IPv4 address, anonymous and writable; active and passive mode.
class FtpServer {
 public:
  static absl::StatusOr<FtpServer> Start(const Host &host);

  // The directory it serves.
  const TempDir &files() const { return files_; }

 private:
  FtpServer(TempDir files, Process process)
      : files_(std::move(files)), process_(std::move(process)) {}

  TempDir files_;
  Process process_;
};

}  // namespace srcsel::lab
