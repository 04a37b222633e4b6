#include "write_out.hh"

#include <cerrno>
#include <cstdio>
#include <string>

#include "base/printable.hh"

namespace srcsel {

absl::Status WriteOut(absl::string_view text) {
  const std::string printable = PrintableLines(text);
  errno = 0;
  const bool written =
      std::fwrite(printable.data(), 1, printable.size(), stdout) == printable.size() &&
      std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return absl::OkStatus();
  return absl::ErrnoToStatus(errno != 0 ? errno : EIO, "write standard output");
}

}  // namespace srcsel
