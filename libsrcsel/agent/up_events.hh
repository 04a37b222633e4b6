// The decisions of what is up, as they are taken.
//
// Contract: they are told from Open() until this is destroyed, however the process ends: the
// process that keeps hooks up sees the connection close. One reader at a time on a host. Rules are
// named as the policy in force at the time of the decision had them, as far as that is still known.
// Not thread-safe.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/up_paths.hh"
#include "base/fd.hh"
#include "hooks/event_ring.hh"
#include "hooks/pins.hh"
#include <srcsel/abi.h>

namespace srcsel {

class UpEvents {
 public:
  // `all`: also decisions that change nothing. kNotFound: nothing is up; kUnavailable: nobody
  // keeps it; kAlreadyExists: somebody else reads.
  static absl::StatusOr<UpEvents> Open(const UpPaths &paths, bool all);

  // Readable when there are events.
  int fd() const { return ring_.fd(); }
  // Readable when no more will come: it has been taken down, or nobody keeps it any more.
  int end_fd() const { return connection_.get(); }

  std::vector<srcsel_event> Read() { return ring_.Read(); }
  // How many had no room since Open().
  std::uint64_t Missed() const;
  // "srcsel.toml:3"; empty if no rule held. May wait for what is about to be written down.
  std::string RuleOf(const srcsel_event &event);

 private:
  UpEvents(UpPaths paths, Pins pins, EventRing ring)
      : paths_(std::move(paths)), pins_(std::move(pins)), ring_(std::move(ring)) {}
  void LearnNames();

  UpPaths paths_;
  Pins pins_;
  EventRing ring_;
  Fd connection_;
  std::uint64_t missed_before_ = 0;
  // By generation of the first image they were known of: names by row of its policy.
  std::map<std::uint64_t, std::vector<std::string>> names_;
  std::uint64_t newest_ = 0;  // generation that is known
};

}  // namespace srcsel
