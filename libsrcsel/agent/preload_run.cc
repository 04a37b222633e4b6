#include "agent/preload_run.hh"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "agent/executable.hh"
#include "agent/mark_findings.hh"
#include "agent/preload_custodian.hh"
#include "agent/resolve.hh"
#include "agent/rule_findings.hh"
#include "base/in_netns.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

constexpr char kLibrary[] = "libsrcsel-preload.so";
constexpr int kIpLocalPortRange = 51;  // since Linux 6.3

// In the places it is built and installed to, as seen from this program.
absl::StatusOr<std::string> FindLibrary() {
  char self[4096] = {};
  if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
    return absl::ErrnoToStatus(errno, "find out where srcsel is");
  const std::string program = self;
  const std::string prefix = program.substr(0, program.rfind('/', program.rfind('/') - 1));
  for (const char *folder : {"lib", SRCSEL_LIBDIR}) {
    std::string path = absl::StrCat(prefix, "/", folder, "/", kLibrary);
    if (access(path.c_str(), R_OK) != 0) continue;
    if (path.find_first_of(" :") == std::string::npos) return path;
    return absl::FailedPreconditionError(
        absl::StrCat("preload ", path, ": LD_PRELOAD takes no path with a space or a colon"));
  }
  return absl::NotFoundError(absl::StrCat(
      "the preload is not installed: ", kLibrary, " is neither in ", prefix, "/lib nor in ", prefix,
      "/", SRCSEL_LIBDIR, "; put it there, or say --via bpf, as root"));
}

bool MaySet(int level, int option, std::uint32_t value) {
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return fd && setsockopt(fd.get(), level, option, &value, sizeof(value)) == 0;
}

// The kernel heeds a range of ports only within its own; why this one is none, or "".
std::string WhyNoPorts(const Range16 &ports) {
  if (!MaySet(IPPROTO_IP, kIpLocalPortRange, 0)) return "the preload needs Linux 6.3 for ports";
  std::uint32_t first = 0, last = 0;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first >> last;
  if (ports.first >= first && ports.last <= last) return "";
  return absl::StrCat(
      "to the preload, the kernel gives only ports of "
      "net.ipv4.ip_local_port_range: ",
      first, "-", last);
}

// What the preload cannot do, or not here.
void CheckRule(const PolicyRule &rule, RuleFindings found) {
  if (!rule.cgroups.empty())
    found.Add(Severity::kError, "cgroup", "the preload does not know of cgroups; --via bpf does");
  if (!rule.classids.empty())
    found.Add(Severity::kError, "classid", "the preload does not know of classes; --via bpf does");
  const std::string no_ports = rule.ports ? WhyNoPorts(*rule.ports) : "";
  if (!no_ports.empty()) found.Add(Severity::kError, "ports", no_ports);
  if (rule.mark && rule.apply == Apply::kMark && !MaySet(SOL_SOCKET, SO_MARK, 1))
    found.Add(
        Severity::kWarning, rule.sources.empty() && !rule.pool ? "mark" : "source",
        absl::StrCat("without CAP_NET_ADMIN the source is bound, and mark ", rule.mark->ToString(),
                     " not set; the way out must follow from an ip rule by source or from "
                     "netfilter's own mark"));
}

std::vector<std::string> OtherPreloads() {
  const char *before = std::getenv("LD_PRELOAD");
  std::vector<std::string> others =
      absl::StrSplit(before != nullptr ? before : "", absl::ByAnyChar(": "), absl::SkipEmpty());
  std::erase_if(
      others, [](const std::string &path) { return path.substr(path.rfind('/') + 1) == kLibrary; });
  return others;
}

void SetEnvironment(const std::string &library, const RunDirectory &directory, bool reply_source) {
  std::vector<std::string> preloads = OtherPreloads();
  preloads.insert(preloads.begin(), library);
  setenv("LD_PRELOAD", absl::StrJoin(preloads, ":").c_str(), 1);
  setenv("SRCSEL_IMAGE", directory.image().c_str(), 1);
  if (reply_source) setenv("SRCSEL_REPLY_SOURCE", "1", 1);
}

}  // namespace

absl::StatusOr<Findings> EnterPreload(const Policy &policy, const PreloadRun &run) {
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(run.netns));
  SRCSEL_ASSIGN_OR_RETURN(const std::string library, FindLibrary());
  if (!run.program.empty()) SRCSEL_RETURN_IF_ERROR(CheckReach(run.program, library));
  SweepRunDirectories();
  SRCSEL_ASSIGN_OR_RETURN(HookMirror mirror, HookMirror::Start());
  SRCSEL_ASSIGN_OR_RETURN(Resolution resolution,
                          Resolve(policy, mirror.state(), Advice::kCommands));
  for (const PolicyRule &rule : resolution.policy.rules)
    CheckRule(rule, RuleFindings(rule, resolution.findings));
  if (HasErrors(resolution.findings)) return std::move(resolution.findings);
  ReportDeadMarks(resolution.policy, mirror.state(), resolution.findings);
  SRCSEL_RETURN_IF_ERROR(
      ReportUnmarkedBinds(resolution.policy, mirror.state(), resolution.findings));
  SRCSEL_ASSIGN_OR_RETURN(RunDirectory directory, RunDirectory::Create());
  PreloadCharge charge{policy, std::move(mirror), std::move(directory)};
  SetEnvironment(library, charge.directory, run.reply_source);
  absl::Status status = charge.mirror.Publish(
      std::move(resolution.policy), [&](auto image) { return charge.directory.Publish(image); });
  if (status.ok()) status = StartPreloadCustodian(charge);
  if (status.ok()) return std::move(resolution.findings);
  charge.directory.Remove();
  LeavePreload();
  return status;
}

void LeavePreload() {
  const std::vector<std::string> others = OtherPreloads();
  unsetenv("SRCSEL_IMAGE");
  unsetenv("SRCSEL_REPLY_SOURCE");
  if (others.empty())
    unsetenv("LD_PRELOAD");
  else
    setenv("LD_PRELOAD", absl::StrJoin(others, ":").c_str(), 1);
}

}  // namespace srcsel
