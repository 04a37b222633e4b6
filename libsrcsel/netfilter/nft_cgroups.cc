#include "netfilter/nft_cgroups.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/cgroup_root.hh"
#include "base/fd.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

// Where libnftables looks.
constexpr char kBelow[] = "/sys/fs/cgroup/";

std::optional<std::uint64_t> IdOf(const std::string &word) {
  std::uint64_t id = 0;
  if (absl::SimpleAtoi(word, &id)) return id;
  struct stat about;
  if (stat(absl::StrCat(kBelow, word).c_str(), &about) != 0 || !S_ISDIR(about.st_mode))
    return std::nullopt;
  return about.st_ino;
}

bool IsCgroupKey(const NftJson &key) {
  const auto socket = key.is_object() ? key.find("socket") : key.end();
  return socket != key.end() && socket->is_object() && socket->value("key", "") == "cgroupv2";
}

// In the order of the rule.
void FindKeys(NftJson &json, std::vector<NftJson *> &found) {
  if (IsCgroupKey(json)) return found.push_back(&json["socket"]);
  if (json.is_structured())
    for (NftJson &part : json) FindKeys(part, found);
}

void SettleValue(const NftJson &key, NftJson &value) {
  if (value.is_string() && IsCgroupKey(key)) {
    const auto word = value.get<std::string>();
    const auto id = absl::StartsWith(word, "@") ? std::nullopt : IdOf(word);
    if (id) value = absl::StrCat(*id);
  } else if (value.is_array()) {
    for (NftJson &one : value) SettleValue(key, one);
  } else if (value.is_object() && value.contains("set")) {
    SettleValue(key, value["set"]);
  } else if (value.is_object() && value.contains("elem")) {
    SettleValue(key, value["elem"]["val"]);
  } else if (value.is_object() && value.contains("concat") && key.contains("concat")) {
    NftJson &parts = value["concat"];
    for (std::size_t i = 0; i < std::min(parts.size(), key["concat"].size()); ++i)
      SettleValue(key["concat"][i], parts[i]);
  }
}

void SettleValues(NftJson &json) {
  if (json.is_object() && json.contains("left") && json.contains("right"))
    return SettleValue(json["left"], json["right"]);
  if (json.is_object() && json.contains("key") && json.contains("data")) {
    NftJson &data = json["data"];
    if (data.is_object() && data.contains("set"))
      for (NftJson &element : data["set"])
        if (element.is_array() && !element.empty()) SettleValue(json["key"], element[0]);
    return;
  }
  if (json.is_structured())
    for (NftJson &part : json) SettleValues(part);
}

// Of each key of the rule that is a cgroup; none if the kernel has no such rule.
std::vector<std::uint32_t> LevelsOf(const NftJson &rule, const std::vector<NftKernelRule> &rules) {
  const auto found = std::ranges::find_if(rules, [&](const NftKernelRule &one) {
    return one.handle == rule.value("handle", std::uint64_t{0}) &&
           one.table == rule.value("table", "") && one.family == rule.value("family", "");
  });
  return found == rules.end() ? std::vector<std::uint32_t>() : found->cgroup_levels;
}

// Fails with ESTALE or ENOTDIR if no cgroup has that id.
Fd OpenById(const CgroupRoot &root, std::uint64_t id) {
  // One that is only pointed to does not do as the root.
  const Fd directory(openat(root.root.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  alignas(file_handle) char bytes[sizeof(file_handle) + sizeof(id)] = {};
  constexpr int kKernfs = 0xfe;  // FILEID_KERNFS of Linux
  file_handle head{};
  head.handle_bytes = sizeof(id);
  head.handle_type = kKernfs;
  std::memcpy(bytes, &head, sizeof(head));
  std::memcpy(bytes + sizeof(head), &id, sizeof(id));
  return Fd(open_by_handle_at(directory.get(), reinterpret_cast<file_handle *>(bytes),
                              O_PATH | O_DIRECTORY | O_CLOEXEC));
}

std::string PathOf(const Fd &fd) {
  std::error_code error;
  return std::filesystem::read_symlink(absl::StrCat("/proc/self/fd/", fd.get()), error).string();
}

}  // namespace

void SettleNftCgroups(const std::vector<NftKernelRule> &rules, NftJson &document) {
  const auto list = document.find("nftables");
  if (list == document.end() || !list->is_array()) return;
  for (NftJson &item : *list) {
    const auto rule = item.is_object() ? item.find("rule") : item.end();
    if (rule == item.end() || !rule->is_object() || !rule->contains("expr")) continue;
    std::vector<NftJson *> keys;
    FindKeys((*rule)["expr"], keys);
    if (keys.empty()) continue;
    SettleValues((*rule)["expr"]);
    const std::vector<std::uint32_t> levels = LevelsOf(*rule, rules);
    for (std::size_t i = 0; levels.size() == keys.size() && i < keys.size(); ++i)
      (*keys[i])["level"] = levels[i];
  }
}

std::optional<NfCgroups> NftCgroupsOf(const std::string &word, std::uint32_t level) {
  const std::optional<std::uint64_t> id = IdOf(word);
  if (!id) return std::nullopt;
  const absl::StatusOr<CgroupRoot> root = FindCgroupRoot();
  if (!root.ok()) return std::nullopt;
  const Fd directory = OpenById(*root, *id);
  if (!directory && (errno == ESTALE || errno == ENOTDIR)) return NfCgroups();
  std::string top = PathOf(root->root), path = directory ? PathOf(directory) : "";
  if (absl::EndsWith(path, " (deleted)")) return NfCgroups();
  if (top == "/") top.clear();
  if (!absl::StartsWith(path, top)) return std::nullopt;
  absl::StatusOr<Cgroup> cgroup = CgroupOfWord(absl::StrCat("/", path.substr(top.size())));
  if (!cgroup.ok() || cgroup->level != level) return std::nullopt;
  cgroup->id = *id;
  return NfCgroups{*cgroup};
}

}  // namespace srcsel
