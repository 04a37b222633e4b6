#include "lab/servers.hh"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

std::string NginxConfiguration(absl::string_view directory, bool access_log) {
  return absl::StrCat(R"(
daemon off;
master_process off;
pid )",
                      directory, R"(/nginx.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  log_format lab 'request $remote_addr $remote_port $server_addr $server_port';
  access_log )",
                      access_log ? "/dev/stdout lab" : "off", R"(;
  client_body_temp_path )",
                      directory, R"(/body;
  proxy_temp_path )",
                      directory, R"(/proxy;
  fastcgi_temp_path )",
                      directory, R"(/fastcgi;
  uwsgi_temp_path )",
                      directory, R"(/uwsgi;
  scgi_temp_path )",
                      directory, R"(/scgi;
  server {
    listen 80 backlog=4096;
    listen [::]:80 backlog=4096;
    location / { return 200 "hello\n"; }
  }
}
)");
}

}  // namespace

absl::StatusOr<Nginx> Nginx::Start(const Host &host, bool access_log) {
  SRCSEL_ASSIGN_OR_RETURN(TempDir files, TempDir::Make());
  SRCSEL_RETURN_IF_ERROR(files.Write("nginx.conf", NginxConfiguration(files.path(), access_log)));
  SRCSEL_ASSIGN_OR_RETURN(Process process,
                          host.Spawn({.argv = {"nginx", "-p", files.path(), "-e", "stderr", "-c",
                                               files.path() + "/nginx.conf"}}));
  SRCSEL_RETURN_IF_ERROR(process.WaitForLine("event method").status());
  return Nginx(std::move(files), std::move(process));
}

absl::StatusOr<Request> Nginx::NextRequest(Deadline deadline) {
  SRCSEL_ASSIGN_OR_RETURN(const std::string line, process_.WaitForLine("request ", deadline));
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  if (words.size() != 5) return absl::InternalError(absl::StrCat("read nginx's log: ", line));
  Request request;
  SRCSEL_ASSIGN_OR_RETURN(request.client, Endpoint::Parse(words[1], words[2]));
  SRCSEL_ASSIGN_OR_RETURN(request.server, Endpoint::Parse(words[3], words[4]));
  return request;
}

absl::StatusOr<FtpServer> FtpServer::Start(const Host &host) {
  SRCSEL_ASSIGN_OR_RETURN(TempDir files, TempDir::Make());
  SRCSEL_ASSIGN_OR_RETURN(
      Process process,
      host.Spawn({.argv = {"/usr/bin/python3", "-m", "pyftpdlib", "--interface", "0.0.0.0",
                           "--port", "21", "--write", "--directory", files.path()}}));
  SRCSEL_RETURN_IF_ERROR(process.WaitForLine("starting FTP server").status());
  return FtpServer(std::move(files), std::move(process));
}

}  // namespace srcsel::lab
