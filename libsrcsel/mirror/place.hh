// Which network namespace is to be mirrored: the one a name means at the moment, or the one the
// mirror was opened in.

#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/fd.hh"

namespace srcsel {

class Place {
 public:
  // `name` as in OpenNetns(); empty: the calling thread's namespace, which is kept alive.
  static absl::StatusOr<Place> Of(std::string name);

  // The namespace as it is to be found now.
  absl::StatusOr<Fd> Open() const;
  // An error unless that is still `netns`.
  absl::Status ExpectStill(const Fd &netns) const;

 private:
  Place(std::string name, Fd own) : name_(std::move(name)), own_(std::move(own)) {}

  std::string name_;
  Fd own_;  // if the name is empty
};

}  // namespace srcsel
