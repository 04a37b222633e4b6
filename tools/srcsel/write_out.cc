#include "write_out.hh"

#include <cerrno>
#include <cstdio>

namespace srcsel {

absl::Status WriteOut(absl::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                       std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return absl::OkStatus();
  return absl::ErrnoToStatus(errno != 0 ? errno : EIO, "write standard output");
}

}  // namespace srcsel
