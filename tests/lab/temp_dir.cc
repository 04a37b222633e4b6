#include "lab/temp_dir.hh"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"

namespace srcsel::lab {

absl::StatusOr<TempDir> TempDir::Make() {
  char path[] = "/tmp/lab-XXXXXX";
  if (!mkdtemp(path)) return absl::ErrnoToStatus(errno, "make a directory in /tmp");
  return TempDir(path);
}

TempDir::TempDir(TempDir &&other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

absl::Status TempDir::Write(absl::string_view name, absl::string_view text) const {
  const std::string path = absl::StrCat(path_, "/", name);
  std::ofstream file(path);
  if (!(file << text) || !file.flush()) return absl::ErrnoToStatus(errno, "write " + path);
  return absl::OkStatus();
}

}  // namespace srcsel::lab
