#include "bench/hooks/least_cost.hh"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "least.skel.h"

namespace srcsel::bench {
namespace {

absl::StatusOr<double> CostOf(Hook hook, Sockets sockets, const std::string &what) {
  const bool connects = hook == Hook::kConnect;
  const std::string name = what + (connects ? "_connect" : "_sendmsg");
  const std::unique_ptr<least_bpf, decltype(&least_bpf__destroy)> least(least_bpf__open_and_load(),
                                                                        &least_bpf__destroy);
  if (least == nullptr) return absl::ErrnoToStatus(errno, "load the programs to compare with");
  const bpf_program *program = bpf_object__find_program_by_name(least->obj, name.c_str());
  if (program == nullptr) return absl::NotFoundError("no program " + name);
  SRCSEL_ASSIGN_OR_RETURN(const Stage stage, Stage::Create());
  if (bpf_prog_attach(bpf_program__fd(program), stage.cgroup().get(),
                      connects ? BPF_CGROUP_INET4_CONNECT : BPF_CGROUP_UDP4_SENDMSG,
                      BPF_F_ALLOW_MULTI) != 0)
    return absl::ErrnoToStatus(errno, "attach " + name);
  SRCSEL_ASSIGN_OR_RETURN(const double ns, stage.Time(hook, sockets, name));
  if (least->bss->least_refused != 0)
    return absl::InternalError(
        absl::StrCat("the kernel refused ", name, " ", least->bss->least_refused, " times"));
  return ns;
}

// A source of the tables or of a pool is bound as any other, but at home only.
std::string CallsOf(Action action) {
  return action == Action::kTables || action == Action::kPool ? "homed" : NameOf(action);
}

}  // namespace

absl::StatusOr<double> NothingCost(Hook hook) {
  return CostOf(hook, Sockets::kMany, "nothing");
}

absl::StatusOr<double> LeastCost(Hook hook, Action action) {
  return CostOf(hook, SocketsOf(action), CallsOf(action));
}

}  // namespace srcsel::bench
