// A host made of its commands: a network namespace in which they were run.
//
// What the kernel or a tool refuses is passed over. After links have changed, it waits until the
// kernel has done what follows from that on its own time (carriers, IPv6 coming up).
//
// Cost: some 50 ms, most of it for links and for the end of the namespace.

#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "lab/host.hh"

namespace srcsel {

class LiveHost {
 public:
  static absl::StatusOr<LiveHost> Make(const std::vector<std::string> &commands);

  // More commands.
  absl::Status Run(const std::vector<std::string> &commands);

  const Fd &netns() const { return host_.netns().fd(); }
  // Commands that were refused.
  std::size_t refused() const { return refused_; }

 private:
  explicit LiveHost(lab::Host host) : host_(std::move(host)) {}

  // Lines of one kind, without the words that tell the kind.
  absl::Status RunKind(const std::string &kind, const std::vector<std::string> &lines);
  absl::Status RunBatch(const std::vector<std::string> &options, std::vector<std::string> lines);
  absl::Status AddRules(bool v6, const std::vector<std::string> &lines);
  absl::Status Settle() const;

  lab::Host host_;
  std::size_t refused_ = 0;
};

}  // namespace srcsel
