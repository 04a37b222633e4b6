#include "lab/host.hh"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "base/status.hh"

namespace srcsel::lab {
namespace {

std::vector<std::string> Words(absl::string_view text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

std::string SysctlPath(absl::string_view name) {
  return absl::StrCat("/proc/sys/", absl::StrReplaceAll(name, {{".", "/"}}));
}

}  // namespace

absl::StatusOr<Host> Host::Create(std::string name) {
  SRCSEL_ASSIGN_OR_RETURN(Netns netns, Netns::Create());
  return Host(std::move(name), std::move(netns));
}

absl::Status Host::Annotate(const absl::Status &status) const {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(name_, ": ", status.message()));
}

absl::StatusOr<Result> Host::Run(Command command, Deadline deadline) const {
  command.netns = netns_.fd().get();
  absl::StatusOr<Result> result = RunCommand(command, deadline);
  if (!result.ok()) return Annotate(result.status());
  return result;
}

absl::StatusOr<Process> Host::Spawn(Command command) const {
  command.netns = netns_.fd().get();
  absl::StatusOr<Process> process = Process::Start(command);
  if (!process.ok()) return Annotate(process.status());
  return process;
}

absl::StatusOr<std::string> Host::RunOk(Command command) const {
  const std::string words = command.ToString();
  SRCSEL_ASSIGN_OR_RETURN(Result result, Run(std::move(command)));
  if (!result.ok())
    return absl::InternalError(absl::StrCat(name_, ": ", words, ": ", result.ToString()));
  return std::move(result.out);
}

absl::StatusOr<std::string> Host::Do(absl::string_view words) const {
  return RunOk({.argv = Words(words)});
}

absl::StatusOr<std::string> Host::Ip(absl::string_view words) const {
  return Do(absl::StrCat("ip ", words));
}

// iproute2 says which line failed only for some errors, and for others just exits. A line printed
// after each command tells for all.
absl::Status Host::IpBatch(absl::string_view family, const std::vector<std::string> &lines) const {
  if (lines.empty()) return absl::OkStatus();
  std::string input;
  for (const std::string &line : lines) absl::StrAppend(&input, line, "\nlink show dev lo\n");
  SRCSEL_ASSIGN_OR_RETURN(
      const Result result,
      Run({.argv = {"ip", std::string(family), "-oneline", "-batch", "-"}, .input = input}));
  if (result.ok()) return absl::OkStatus();
  const std::string complaint = result.err.substr(0, result.err.find("\nCommand failed"));
  const auto done =
      static_cast<std::size_t>(std::count(result.out.begin(), result.out.end(), '\n'));
  return absl::InternalError(absl::StrCat(
      name_, ": ip ", family, " ", lines[std::min(done, lines.size() - 1)], ": ", complaint));
}

absl::Status Host::Nft(absl::string_view ruleset) const {
  return RunOk({.argv = {"nft", "-f", "-"}, .input = std::string(ruleset)}).status();
}

absl::Status Host::SetSysctl(absl::string_view name, absl::string_view value) const {
  return Annotate(Within(netns_.fd(), [&]() -> absl::Status {
    const Fd file(open(SysctlPath(name).c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || write(file.get(), value.data(), value.size()) < 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("set sysctl ", name, "=", value));
    return absl::OkStatus();
  }));
}

absl::StatusOr<std::string> Host::Sysctl(absl::string_view name) const {
  absl::StatusOr<std::string> value = Within(netns_.fd(), [&]() -> absl::StatusOr<std::string> {
    const Fd file(open(SysctlPath(name).c_str(), O_RDONLY | O_CLOEXEC));
    char bytes[4096];
    const ssize_t size = file ? read(file.get(), bytes, sizeof(bytes)) : -1;
    if (size < 0) return absl::ErrnoToStatus(errno, absl::StrCat("read sysctl ", name));
    return std::string(
        absl::StripAsciiWhitespace(absl::string_view(bytes, static_cast<std::size_t>(size))));
  });
  if (!value.ok()) return Annotate(value.status());
  return value;
}

absl::StatusOr<std::vector<ConntrackEntry>> Host::ConntrackEntries() const {
  SRCSEL_ASSIGN_OR_RETURN(const std::string listing, RunOk({.argv = {"conntrack", "-L"}}));
  return ParseConntrack(listing);
}

absl::StatusOr<Capture> Host::StartCapture(const std::string &interface) const {
  absl::StatusOr<Capture> capture = Capture::Start(netns_.fd(), interface);
  if (!capture.ok()) return Annotate(capture.status());
  return capture;
}

}  // namespace srcsel::lab
