#include "hooks/hooks.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "base/status.hh"
#include "hooks/image_map.hh"
#include "srcsel.skel.h"

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
    return absl::PermissionDeniedError(
        absl::StrCat(status.message(),
                     "; run as root, or with CAP_BPF and CAP_NET_ADMIN; if so it is, a seccomp "
                     "filter (a container's) or a security module forbids bpf(2)"));
  if (error == EMFILE)
    return absl::ResourceExhaustedError(
        absl::StrCat(status.message(), "; raise the limit of open files (ulimit -n)"));
  return absl::Status(status.code(), absl::StrCat(status.message(), kKernelNeeded));
}

absl::Status AttachError(int error, const char *program) {
  const absl::Status status =
      absl::ErrnoToStatus(error, absl::StrCat("attach ", program, " to the cgroup"));
  if (error == EINVAL)
    return absl::Status(status.code(), absl::StrCat(status.message(), kKernelNeeded));
  if (error != EPERM) return status;
  return absl::PermissionDeniedError(
      absl::StrCat(status.message(),
                   "; another program on a cgroup above was attached without "
                   "BPF_F_ALLOW_MULTI (bpftool cgroup tree shows it)"));
}

struct Hook {
  const bpf_program *program;
  bpf_attach_type type;
};

}  // namespace

void Hooks::Destroy::operator()(srcsel_bpf *skeleton) const {
  srcsel_bpf__destroy(skeleton);
}

absl::StatusOr<Hooks> Hooks::Load() {
  libbpf_set_print(KeepFirstWarning);
  first_warning.clear();
  srcsel_bpf *skeleton = srcsel_bpf__open();
  if (skeleton == nullptr) return LoadError(errno);
  Hooks hooks(skeleton);
  if (const int error = srcsel_bpf__load(skeleton); error != 0) return LoadError(-error);
  return hooks;
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
  const Hook hooks[] = {
      // Those that remember first: nothing is decided before they do.
      {skeleton_->progs.srcsel_bind4, BPF_CGROUP_INET4_BIND},
      {skeleton_->progs.srcsel_bind6, BPF_CGROUP_INET6_BIND},
      {skeleton_->progs.srcsel_setsockopt, BPF_CGROUP_SETSOCKOPT},
      {skeleton_->progs.srcsel_create, BPF_CGROUP_INET_SOCK_CREATE},
      {skeleton_->progs.srcsel_connect4, BPF_CGROUP_INET4_CONNECT},
      {skeleton_->progs.srcsel_connect6, BPF_CGROUP_INET6_CONNECT},
      {skeleton_->progs.srcsel_sendmsg4, BPF_CGROUP_UDP4_SENDMSG},
      {skeleton_->progs.srcsel_sendmsg6, BPF_CGROUP_UDP6_SENDMSG},
  };
  for (std::size_t i = 0; i < std::size(hooks); ++i) {
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

void Hooks::Tell(Told told) {
  skeleton_->bss->srcsel_listening = static_cast<__u32>(told);
}

int Hooks::events_fd() const {
  return bpf_map__fd(skeleton_->maps.srcsel_events);
}

}  // namespace srcsel
