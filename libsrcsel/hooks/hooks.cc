#include "hooks/hooks.hh"

#include <sys/stat.h>

#include <algorithm>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status.hh"
#include "hooks/credentials.hh"
#include "hooks/hook_list.hh"
#include "hooks/image_map.hh"
#include "hooks/kernel_has.hh"
#include "hooks/overridden.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

constexpr char kKernelNeeded[] = "; Linux 6.1 or later with CONFIG_CGROUP_BPF is needed";

// libbpf explains failures in lines it prints. The first that names a program or map says most.
thread_local std::string first_warning;

int KeepFirstWarning(libbpf_print_level level, const char *format, va_list arguments) {
  if (level != LIBBPF_WARN || !first_warning.empty()) return 0;
  char line[256];
  vsnprintf(line, sizeof(line), format, arguments);
  const absl::string_view text = absl::StripPrefix(line, "libbpf: ");
  if (absl::StartsWith(text, "prog '") || absl::StartsWith(text, "map '"))
    first_warning = std::string(absl::StripSuffix(text, "\n"));
  return 0;
}

absl::Status LoadError(int error) {
  const absl::string_view why =
      absl::StripSuffix(first_warning, absl::StrCat(": ", std::strerror(error)));
  const absl::Status status = absl::ErrnoToStatus(
      error, absl::StrCat("load BPF programs", why.empty() ? "" : absl::StrCat(" (", why, ")")));
  // EACCES is the verifier's word, not that of the capability check.
  if (error == EPERM)
    return absl::PermissionDeniedError(absl::StrCat(
        status.message(),
        "; run as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN; if so it is, a seccomp "
        "filter (a container's) or a security module forbids bpf(2)"));
  if (error == EMFILE)
    return absl::ResourceExhaustedError(
        absl::StrCat(status.message(), "; raise the limit of open files (ulimit -n)"));
  return absl::Status(status.code(), absl::StrCat(status.message(), kKernelNeeded));
}

absl::Status AttachError(int error, const char *program) {
  absl::Status status =
      absl::ErrnoToStatus(error, absl::StrCat("attach ", program, " to the cgroup"));
  if (error == EINVAL)
    return absl::Status(status.code(), absl::StrCat(status.message(), kKernelNeeded));
  if (error != EPERM) return status;
  return absl::PermissionDeniedError(
      absl::StrCat(status.message(),
                   "; another program on a cgroup above was attached without "
                   "BPF_F_ALLOW_MULTI (bpftool cgroup tree shows it)"));
}

// Of a skeleton yet to be loaded: leaves out hooks that the kernel does not have, if there are any
// such, and none that is needed.
bool LeaveOutMissing(const srcsel_bpf &skeleton) {
  bool left_out = false;
  for (const Hook &hook : HooksOf(skeleton)) {
    if (hook.without == nullptr || KernelHas(hook)) continue;
    bpf_program__set_autoload(hook.program, false);
    left_out = true;
  }
  return left_out;
}

bool IsMissing(const Hook &hook) {
  return !bpf_program__autoload(hook.program);
}

// The hook's link to the cgroup; empty if there is none.
absl::StatusOr<Fd> LinkTo(const Fd &cgroup, const Hook &hook, const Pins &pins) {
  Fd link = pins.Link(hook.name);
  if (!link) return Fd();
  struct stat about;
  if (fstat(cgroup.get(), &about) != 0) return absl::ErrnoToStatus(errno, "look at the cgroup");
  SRCSEL_ASSIGN_OR_RETURN(const KeptLink kept, DescribeLink(link));
  return kept.cgroup == about.st_ino ? std::move(link) : Fd();
}

bool HasForm(const Fd &kept, const bpf_map *wanted) {
  bpf_map_info info{};
  __u32 size = sizeof(info);
  return bpf_obj_get_info_by_fd(kept.get(), &info, &size) == 0 &&
         info.type == bpf_map__type(wanted) && info.key_size == bpf_map__key_size(wanted) &&
         info.value_size == bpf_map__value_size(wanted) &&
         info.max_entries == bpf_map__max_entries(wanted) &&
         info.map_flags == bpf_map__map_flags(wanted);
}

// Whether there are classes of net_cls (CONFIG_CGROUP_NET_CLASSID), in use or not.
bool HasClasses() {
  std::ostringstream controllers;
  controllers << std::ifstream("/proc/cgroups").rdbuf();
  const std::string text = controllers.str();
  return text.empty() || absl::StrContains(text, "\nnet_cls\t");
}

}  // namespace

void Hooks::Destroy::operator()(srcsel_bpf *skeleton) const {
  srcsel_bpf__destroy(skeleton);
}

absl::StatusOr<Hooks> Hooks::Load() {
  return LoadWith(Kept::kNothing, nullptr);
}

absl::StatusOr<Hooks> Hooks::LoadOver(const Pins &kept) {
  return LoadWith(Kept::kAllMaps, &kept);
}

absl::StatusOr<Hooks> Hooks::LoadBelow(const Pins &kept) {
  return LoadWith(Kept::kFacts, &kept);
}

absl::StatusOr<Hooks> Hooks::LoadWith(Kept what, const Pins *kept) {
  libbpf_set_print(KeepFirstWarning);
  first_warning.clear();
  SRCSEL_ASSIGN_OR_RETURN(Hooks hooks, Open(what, kept));
  int error = srcsel_bpf__load(hooks.skeleton_.get());
  if (error == 0) return hooks;
  // What has failed to load cannot be loaded again.
  SRCSEL_ASSIGN_OR_RETURN(Hooks rest, Open(what, kept));
  if (error != -EINVAL || !LeaveOutMissing(*rest.skeleton_)) return LoadError(-error);
  first_warning.clear();
  error = srcsel_bpf__load(rest.skeleton_.get());
  if (error != 0) return LoadError(-error);
  return rest;
}

absl::StatusOr<Hooks> Hooks::Open(Kept what, const Pins *kept) {
  srcsel_bpf *skeleton = srcsel_bpf__open();
  if (skeleton == nullptr) return LoadError(errno);
  Hooks hooks(skeleton);
  if (kept != nullptr) SRCSEL_RETURN_IF_ERROR(hooks.Reuse(what, *kept));
  skeleton->bss->srcsel_nested = what == Kept::kFacts;
  skeleton->rodata->srcsel_has_classes = HasClasses();
  skeleton->rodata->srcsel_cred_at = FindCredentials().cred;
  skeleton->rodata->srcsel_user_at = FindCredentials().user;
  skeleton->rodata->srcsel_group_at = FindCredentials().group;
  return hooks;
}

std::vector<std::string> Hooks::Missing() const {
  std::vector<std::string> missing;
  for (const Hook &hook : HooksOf(*skeleton_))
    if (IsMissing(hook))
      missing.push_back(absl::StrCat("the kernel has no hook ", hook.name, ": ", hook.without));
  return missing;
}

absl::Status Hooks::Reuse(Kept what, const Pins &kept) {
  for (const HookMap &map : MapsOf(*skeleton_)) {
    const bool is_facts = map.map == skeleton_->maps.srcsel_facts;
    const bool wanted = map.outlives && (is_facts || what == Kept::kAllMaps);
    const Fd fd = wanted ? kept.Map(map.name) : Fd();
    if (!fd || !HasForm(fd, map.map)) continue;
    if (const int error = bpf_map__reuse_fd(map.map, fd.get()); error != 0)
      return absl::ErrnoToStatus(-error, absl::StrCat("take over the map ", map.name));
    if (is_facts) remembers_all_ = true;
  }
  return absl::OkStatus();
}

absl::Status Hooks::Publish(std::span<const std::byte> image) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd pages, MakeImageMap(image));
  const __u32 slot = 0;
  const int inner = pages.get();
  if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.srcsel_images), &slot, &inner, BPF_ANY) != 0)
    return absl::ErrnoToStatus(errno, "publish the image");
  return absl::OkStatus();
}

absl::Status Hooks::Attach(const Fd &cgroup) {
  std::vector<Hook> hooks;
  std::ranges::remove_copy_if(HooksOf(*skeleton_), std::back_inserter(hooks), IsMissing);
  for (const Hook &hook : hooks)
    SRCSEL_RETURN_IF_ERROR(
        CheckNothingOverridden(cgroup, hook.type, bpf_program__name(hook.program)));
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const Hook &hook = hooks[i];
    if (bpf_prog_attach(bpf_program__fd(hook.program), cgroup.get(), hook.type,
                        BPF_F_ALLOW_MULTI) == 0)
      continue;
    const int error = errno;
    for (std::size_t j = 0; j < i; ++j)
      bpf_prog_detach2(bpf_program__fd(hooks[j].program), cgroup.get(), hooks[j].type);
    return AttachError(error, bpf_program__name(hook.program));
  }
  return absl::OkStatus();
}

absl::Status Hooks::KeepRemembering(const Fd &cgroup, const Pins &pins) {
  // Before the links: what is attached must never remember into a map that is lost.
  for (const HookMap &map : MapsOf(*skeleton_))
    SRCSEL_RETURN_IF_ERROR(pins.PinMap(map.name, bpf_map__fd(map.map)));
  for (const Hook &hook : HooksOf(*skeleton_))
    if (hook.remembers) SRCSEL_RETURN_IF_ERROR(Keep(hook, cgroup, pins));
  return absl::OkStatus();
}

absl::Status Hooks::KeepDeciding(const Fd &cgroup, const Pins &pins) {
  for (const Hook &hook : HooksOf(*skeleton_))
    if (!hook.remembers) SRCSEL_RETURN_IF_ERROR(Keep(hook, cgroup, pins));
  return absl::OkStatus();
}

absl::Status Hooks::Keep(const Hook &hook, const Fd &cgroup, const Pins &pins) {
  if (IsMissing(hook)) return pins.RemoveHook(hook.name);
  const int program = bpf_program__fd(hook.program);
  SRCSEL_ASSIGN_OR_RETURN(const Fd kept, LinkTo(cgroup, hook, pins));
  if (kept) {
    if (bpf_link_update(kept.get(), program, nullptr) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("replace ", hook.name, " on the cgroup"));
  } else {
    SRCSEL_RETURN_IF_ERROR(
        CheckNothingOverridden(cgroup, hook.type, bpf_program__name(hook.program)));
    if (hook.remembers) remembers_all_ = false;
    const Fd link(bpf_link_create(program, cgroup.get(), hook.type, nullptr));
    if (!link) return AttachError(errno, bpf_program__name(hook.program));
    SRCSEL_RETURN_IF_ERROR(pins.PinLink(hook.name, link));
  }
  return pins.PinProgram(hook.name, program);
}

SocketFacts Hooks::facts() const {
  return SocketFacts(bpf_map__fd(skeleton_->maps.srcsel_facts));
}

void Hooks::MindOldSockets() {
  skeleton_->bss->srcsel_minds_old = 1;
}

absl::Status Hooks::ForgetTallies() {
  const std::vector<srcsel_tally> none(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  for (__u32 row = 0; row < SRCSEL_MAX_POLICY; ++row)
    if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.srcsel_tallies), &row, none.data(),
                            BPF_ANY) != 0)
      return absl::ErrnoToStatus(errno, "begin the counters of rules anew");
  return absl::OkStatus();
}

void Hooks::Tell(Told told) {
  skeleton_->bss->srcsel_listening = static_cast<__u32>(told);
}

int Hooks::events_fd() const {
  return bpf_map__fd(skeleton_->maps.srcsel_events);
}

}  // namespace srcsel
