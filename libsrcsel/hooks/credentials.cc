#include "hooks/credentials.hh"

#include <linux/btf.h>
#include <bpf/btf.h>

#include <fstream>
#include <memory>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace srcsel {
namespace {

struct FreeBtf {
  void operator()(btf *kernel) const { btf__free(kernel); }
};

// 0 if the structure has no such member.
std::uint32_t OffsetOf(const btf *kernel, const char *structure, absl::string_view member) {
  const int id = btf__find_by_name_kind(kernel, structure, BTF_KIND_STRUCT);
  const btf_type *type = id < 0 ? nullptr : btf__type_by_id(kernel, static_cast<__u32>(id));
  if (type == nullptr) return 0;
  for (__u32 i = 0; i < btf_vlen(type); ++i) {
    const char *name = btf__name_by_offset(kernel, btf_members(type)[i].name_off);
    if (name != nullptr && name == member) return btf_member_bit_offset(type, i) / 8;
  }
  return 0;
}

// Then no program may read the kernel's memory, and one that would is refused.
bool IsConfidential() {
  std::ostringstream level;
  level << std::ifstream("/sys/kernel/security/lockdown").rdbuf();
  return absl::StrContains(level.str(), "[confidentiality]");
}

Credentials Find() {
  if (IsConfidential()) return {};
  const std::unique_ptr<btf, FreeBtf> kernel(btf__load_vmlinux_btf());
  if (!kernel) return {};
  const Credentials found{OffsetOf(kernel.get(), "task_struct", "cred"),
                          OffsetOf(kernel.get(), "cred", "fsuid"),
                          OffsetOf(kernel.get(), "cred", "fsgid")};
  return found.cred != 0 && found.user != 0 && found.group != 0 ? found : Credentials();
}

}  // namespace

const Credentials &FindCredentials() {
  static const Credentials found = Find();
  return found;
}

}  // namespace srcsel
