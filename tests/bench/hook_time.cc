#include "bench/hook_time.hh"

#include <fcntl.h>

#include <array>

#include <bpf/bpf.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace srcsel::bench {
namespace {

bpf_attach_type AttachTypeOf(std::string_view program) {
  return program.find("sendmsg") != std::string_view::npos ? BPF_CGROUP_UDP4_SENDMSG
                                                           : BPF_CGROUP_INET4_CONNECT;
}

}  // namespace

absl::StatusOr<Fd> EnableBpfStatistics() {
  Fd fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
  if (!fd) return absl::ErrnoToStatus(errno, "enable BPF run-time statistics");
  return fd;
}

absl::StatusOr<HookTime> ReadHookTime(const std::string &cgroup, std::string_view program) {
  const Fd directory(open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::array<__u32, 16> ids{};
  __u32 count = ids.size();
  if (bpf_prog_query(directory.get(), AttachTypeOf(program), 0, nullptr, ids.data(), &count) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("list the programs of ", cgroup));
  for (__u32 i = 0; i < count; ++i) {
    const Fd fd(bpf_prog_get_fd_by_id(ids[i]));
    bpf_prog_info info{};
    __u32 size = sizeof(info);
    if (fd && bpf_obj_get_info_by_fd(fd.get(), &info, &size) == 0 && program == info.name)
      return HookTime{info.run_cnt, info.run_time_ns};
  }
  return absl::NotFoundError(absl::StrCat("no program ", std::string(program), " on ", cgroup));
}

}  // namespace srcsel::bench
