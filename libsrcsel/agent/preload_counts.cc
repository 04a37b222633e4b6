#include "agent/preload_counts.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/fd.hh"
#include "engine/preload_counts.h"
#include "lookup/decide.hh"
#include "policy/text_file.hh"

namespace srcsel {
namespace {

constexpr std::size_t kLargestMaps = std::size_t{64} << 20;
constexpr std::size_t kMostData = std::size_t{1} << 20;  // of a writable mapping
constexpr std::size_t kAlignment = 64;

std::vector<char> ReadMemory(const Fd &memory, std::uint64_t begin, std::uint64_t end) {
  if (end <= begin || end - begin > kMostData) return {};
  std::vector<char> bytes(end - begin);
  const ssize_t size = pread(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(begin));
  bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return bytes;
}

bool Find(const std::vector<char> &bytes, srcsel_preload_counts *counts) {
  const srcsel_preload_counts head = {SRCSEL_PRELOAD_COUNTS_HEAD, {}};
  for (std::size_t at = 0; at + sizeof(*counts) <= bytes.size(); at += kAlignment) {
    if (std::memcmp(bytes.data() + at, &head, offsetof(srcsel_preload_counts, of)) != 0) continue;
    std::memcpy(counts, bytes.data() + at, sizeof(*counts));
    return true;
  }
  return false;
}

}  // namespace

std::map<std::string, std::uint64_t> PreloadCounts(pid_t pid) {
  const std::string folder = absl::StrCat("/proc/", pid);
  const Fd memory(open((folder + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory) return {};
  std::istringstream maps(ReadTextFile(folder + "/maps", kLargestMaps).value_or(""));
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    srcsel_preload_counts counts;
    if (!absl::StrContains(line, " rw-p ") || !absl::StrContains(line, "/libsrcsel-preload.so") ||
        std::sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64, &begin, &end) != 2 ||
        !Find(ReadMemory(memory, begin, end), &counts))
      continue;
    std::map<std::string, std::uint64_t> all;
    for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason)
      if (counts.of[reason] != 0) all.emplace(std::string(ReasonText(reason)), counts.of[reason]);
    return all;
  }
  return {};
}

}  // namespace srcsel
