#include "agent/cgroup_limit.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace srcsel {
namespace {

std::string Read(const Fd &directory, const char *name) {
  const Fd file(openat(directory.get(), name, O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t size = file ? pread(file.get(), text, sizeof(text), 0) : 0;
  return {text, static_cast<std::size_t>(size > 0 ? size : 0)};
}

// Nothing where the file says "max", or does not exist.
std::optional<std::uint64_t> Limit(const Fd &directory, const char *name) {
  std::uint64_t limit = 0;
  if (!absl::SimpleAtoi(Read(directory, name), &limit)) return std::nullopt;
  return limit;
}

std::uint64_t Descendants(const Fd &directory) {
  const std::string statistics = Read(directory, "cgroup.stat");
  std::uint64_t count = 0;
  for (absl::string_view line : absl::StrSplit(statistics, '\n'))
    if (absl::ConsumePrefix(&line, "nr_descendants ") && absl::SimpleAtoi(line, &count)) break;
  return count;
}

std::string Sentence(const Fd &directory, const char *name, std::uint64_t limit) {
  std::error_code ignored;
  const std::filesystem::path link = absl::StrCat("/proc/self/fd/", directory.get());
  const std::string file = std::filesystem::read_symlink(link, ignored) / name;
  return absl::StrCat(file, " allows ", limit, "; raise it with: echo max > ", file);
}

}  // namespace

std::string ReachedLimit(const Fd &root, absl::string_view path) {
  std::filesystem::path at(std::string{path});
  for (std::uint64_t depth = 1;; ++depth) {
    const Fd directory(openat(root.get(), at.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto most = Limit(directory, "cgroup.max.descendants");
    if (most && Descendants(directory) >= *most)
      return Sentence(directory, "cgroup.max.descendants", *most);
    const auto deepest = Limit(directory, "cgroup.max.depth");
    if (deepest && depth > *deepest) return Sentence(directory, "cgroup.max.depth", *deepest);
    if (at == ".") return "";
    at = at.has_parent_path() ? at.parent_path() : ".";
  }
}

}  // namespace srcsel
