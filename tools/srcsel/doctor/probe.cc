#include "srcsel/doctor/probe.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/hook_mirror.hh"
#include "agent/run_cgroup.hh"
#include "agent/up_pins.hh"
#include "base/cgroup_root.hh"
#include "base/status.hh"
#include "hooks/hooks.hh"
#include "srcsel/doctor/probe_sockets.hh"
#include "srcsel/doctor/probe_world.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

bool IsBelow(const Fd &cgroup, std::uint64_t above) {
  Fd at(openat(cgroup.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat root;
  if (!at || fstat(at.get(), &root) != 0) return false;
  for (struct stat here = root; here.st_dev == root.st_dev;) {
    if (here.st_ino == above) return true;
    const ino_t last = here.st_ino;
    at.reset(openat(at.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!at || fstat(at.get(), &here) != 0 || here.st_ino == last) return false;
  }
  return false;
}

// All of the child's work.
absl::StatusOr<std::vector<Probe>> TryInWorld(const RunCgroup &cgroup) {
  SRCSEL_RETURN_IF_ERROR(EnterProbeWorld());
  SRCSEL_ASSIGN_OR_RETURN(HookMirror mirror, HookMirror::Start());
  const absl::StatusOr<Pins> above = OpenPins(UpPaths::Get());
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, above.ok() ? Hooks::LoadBelow(*above) : Hooks::Load());
  SRCSEL_RETURN_IF_ERROR(mirror.Publish(ProbePolicy(), hooks));
  SRCSEL_RETURN_IF_ERROR(hooks.Attach(cgroup.fd()));
  SRCSEL_RETURN_IF_ERROR(cgroup.Join());
  std::vector<Probe> probes = ProbeSockets(kProbe4);
  if (HasFamily(kProbe6))
    for (Probe &probe : ProbeSockets(kProbe6)) probes.push_back(std::move(probe));
  return probes;
}

// A line a probe, its parts between tabs; of trouble that concerns all, a single word.
std::string Written(const absl::StatusOr<std::vector<Probe>> &tried) {
  if (!tried.ok()) return absl::StrCat(tried.status().message(), "\n");
  std::string text;
  for (const Probe &probe : *tried)
    absl::StrAppend(&text, probe.hook, "\t", probe.does, "\t", probe.trouble, "\n");
  return text;
}

void ReadBack(const std::string &text, ProbeReport &report) {
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    if (parts.size() == 3)
      report.probes.push_back({parts[0], parts[1], parts[2]});
    else
      absl::StrAppend(&report.trouble, line);
  }
}

// What a child process has to say until it ends.
absl::StatusOr<std::string> FromChild(absl::FunctionRef<std::string()> say) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "make a pipe");
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t child = fork();
  if (child < 0) return absl::ErrnoToStatus(errno, "start a process for the probes");
  if (child == 0) {
    const std::string text = say();
    _exit(write(out.get(), text.data(), text.size()) < 0);
  }
  out.reset();
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t size = 0; (size = read(in.get(), part.data(), part.size())) != 0;) {
    if (size > 0) text.append(part.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno != EINTR) break;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (text.empty()) return absl::AbortedError("the process of the probes said nothing");
  return text;
}

absl::StatusOr<ProbeReport> Report(const UpStatus *up) {
  SRCSEL_ASSIGN_OR_RETURN(const CgroupRoot where, FindCgroupRoot());
  SRCSEL_ASSIGN_OR_RETURN(const RunCgroup cgroup, RunCgroup::Create(where));
  ProbeReport report;
  report.below_up = up != nullptr && std::ranges::any_of(up->hooks, [&](const KeptLink &link) {
                      return IsBelow(cgroup.fd(), link.cgroup);
                    });
  if (report.below_up && up->abi != SRCSEL_ABI_VERSION) {
    report.untried = "those of another srcsel are attached above, and would have their say as well";
  } else {
    const absl::StatusOr<std::string> said = FromChild([&] { return Written(TryInWorld(cgroup)); });
    if (said.ok())
      ReadBack(*said, report);
    else
      report.trouble = std::string(said.status().message());
  }
  SRCSEL_RETURN_IF_ERROR(cgroup.Remove());
  return report;
}

}  // namespace

ProbeReport ProbeHooks(const UpStatus *up) {
  absl::StatusOr<ProbeReport> report = Report(up);
  if (report.ok()) return *std::move(report);
  ProbeReport failed;
  failed.trouble = std::string(report.status().message());
  return failed;
}

}  // namespace srcsel
