#include "agent/process_policies.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/cgroup_path.hh"
#include "agent/preload_counts.hh"
#include "base/process_name.hh"
#include "base/processes.hh"
#include "base/status.hh"
#include "policy/text_file.hh"

namespace srcsel {
namespace {

constexpr std::size_t kLargestFile = std::size_t{64} << 20;

std::string Read(pid_t pid, const char *name) {
  return ReadTextFile(absl::StrCat("/proc/", pid, "/", name), kLargestFile).value_or("");
}

bool IsHidden(pid_t pid) {
  const Fd maps(open(absl::StrCat("/proc/", pid, "/maps").c_str(), O_RDONLY | O_CLOEXEC));
  return !maps && (errno == EACCES || errno == EPERM);
}

// By its environment as it was at exec(), which is when the library reads it.
std::string PreloadOf(pid_t pid) {
  if (!absl::StrContains(Read(pid, "maps"), "/libsrcsel-preload.so")) return "";
  const std::string environment = Read(pid, "environ");
  const std::vector<absl::string_view> words = absl::StrSplit(environment, '\0', absl::SkipEmpty());
  for (absl::string_view word : words)
    if (absl::ConsumePrefix(&word, "SRCSEL_IMAGE=")) return std::string(word);
  for (const char *name : {"SRCSEL_MARK", "SRCSEL_SOURCE", "SRCSEL_PORTS"})
    for (absl::string_view word : words)
      if (absl::StartsWith(word, absl::StrCat(name, "="))) return std::string(word);
  return "the image of srcsel up";
}

bool IsOfKernel(pid_t pid) {
  char target[1];
  return readlink(absl::StrCat("/proc/", pid, "/exe").c_str(), target, sizeof(target)) < 0 &&
         Read(pid, "cmdline").empty();
}

}  // namespace

PolicyFinder::PolicyFinder(const UpPaths &paths) {
  if (absl::StatusOr<UpState> state = ReadUpState(paths); state.ok()) up_ = *std::move(state);
}

bool PolicyFinder::IsUnderUp(const std::string &cgroup) {
  if (!up_) return false;
  const auto [known, is_new] = under_up_.try_emplace(cgroup, false);
  if (is_new) known->second = IsInCgroup(cgroup, up_->cgroup);
  return known->second;
}

absl::StatusOr<ProcessPolicies> PolicyFinder::Of(pid_t pid) {
  if (access(absl::StrCat("/proc/", pid).c_str(), F_OK) != 0)
    return absl::NotFoundError(absl::StrCat("there is no process ", pid));
  ProcessPolicies policies{.pid = pid, .comm = ProcessName(pid)};
  SRCSEL_ASSIGN_OR_RETURN(policies.cgroup, CgroupOf(pid));
  policies.run = RunCgroupIn(policies.cgroup);
  policies.up = IsUnderUp(policies.cgroup);
  policies.hidden = IsHidden(pid);
  policies.preload = PreloadOf(pid);
  if (!policies.preload.empty()) policies.preload_counts = PreloadCounts(pid);
  return policies;
}

ManyPolicies PolicyFinder::OfAll() {
  ManyPolicies all;
  for (const pid_t pid : Processes()) {
    if (IsOfKernel(pid)) continue;
    absl::StatusOr<ProcessPolicies> policies = Of(pid);
    if (!policies.ok()) continue;
    all.hidden += policies->hidden ? 1 : 0;
    if (policies->any()) all.found.push_back(*std::move(policies));
  }
  return all;
}

}  // namespace srcsel
