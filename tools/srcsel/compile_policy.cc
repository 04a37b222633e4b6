#include "compile_policy.hh"

#include <fcntl.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/publish_image.hh"
#include "base/fd.hh"
#include "base/status.hh"
#include "image/compile.hh"

namespace srcsel {

absl::Status CompilePolicyTo(const std::string &file, const Policy &resolved, State state) {
  state.rules.clear();
  state.routes = Routes();
  state.nexthops.clear();
  state.neighbours.clear();
  SRCSEL_ASSIGN_OR_RETURN(const Image image, Compile(state, resolved, 1));
  const std::size_t slash = file.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : file.substr(0, slash + 1);
  const Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return absl::ErrnoToStatus(errno, absl::StrCat("open ", folder));
  return PublishImage(directory, file.substr(slash + 1), image.bytes(), 0644);
}

}  // namespace srcsel
