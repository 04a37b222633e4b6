// A directory under /tmp that goes with its owner, contents and all.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace srcsel::lab {

class TempDir {
 public:
  static absl::StatusOr<TempDir> Make();
  TempDir(TempDir &&other) noexcept;
  TempDir &operator=(TempDir &&) = delete;
  ~TempDir();

  const std::string &path() const { return path_; }

  // Writes a file of that name into it.
  absl::Status Write(absl::string_view name, absl::string_view text) const;

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty: moved from
};

}  // namespace srcsel::lab
