// A host's nft rules, changed as fast as nft can, with a log of what was so when: which source a
// connection may have had at a time.
//
// Contract: one thread at a time. Times are CLOCK_MONOTONIC in microseconds, as `dial -t` prints.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/fd.hh"

struct nft_ctx;

namespace srcsel::lab {

std::int64_t Microseconds();

// Enters the namespace with the calling thread, for good.
class NftDriver {
 public:
  static absl::StatusOr<NftDriver> Enter(const Fd &netns);

  absl::Status Do(const std::string &commands);

 private:
  struct Free {
    void operator()(nft_ctx *context) const;
  };
  explicit NftDriver(nft_ctx *context) : context_(context) {}

  std::unique_ptr<nft_ctx, Free> context_;
};

// From `begun` on the source may be this one; from `done` on it is no other.
struct SourceChange {
  std::int64_t begun, done;
  std::string source;
};

// "10.0.0.1 40000 at 1234 1250": a connection, made between two times.
struct Dialled {
  std::string source;
  std::int64_t from, to;
};
std::vector<Dialled> ReadDialled(absl::string_view lines);

// Whether a state of the last `grace` before the connection gives its source.
bool Fits(const Dialled &dialled, const std::vector<SourceChange> &changes, std::int64_t grace);

// How many connections have a source that no order of events explains, however slow a change is to
// come into force: one that is not yet said, or is of a state older than another connection's
// before.
std::size_t OutOfOrder(const std::vector<Dialled> &all, const std::vector<SourceChange> &changes);

// For how long after each change but the first connections were still begun with another source.
std::vector<std::int64_t> Delays(const std::vector<Dialled> &all,
                                 const std::vector<SourceChange> &changes);

}  // namespace srcsel::lab
