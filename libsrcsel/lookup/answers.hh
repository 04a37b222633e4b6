// The outcomes that a lookup may have, as they are found.
//
// Nearly always there is one, and nothing allocates.

#pragma once

#include <algorithm>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include <srcsel/selection.hh>

namespace srcsel {

class Answers {
 public:
  void Add(const Outcome &outcome) {
    if (all_.empty() || std::ranges::find(all_, outcome) == all_.end()) all_.push_back(outcome);
  }
  // What will be added hangs on this. Of several doubts the first is named, or the first after
  // which anything is possible.
  void Doubt(Ambiguity why) {
    if (why_ == Ambiguity::kNone) why_ = why;
  }
  // Besides what is added, anything is possible.
  void DoubtAll(Ambiguity why) {
    if (complete_) why_ = why;
    complete_ = false;
  }
  // The outcome is not that of every other lookup that differs only in its source.
  void Vary() { varies_ = true; }

  const absl::InlinedVector<Outcome, 1> &all() const { return all_; }
  Ambiguity why() const { return why_; }
  bool complete() const { return complete_; }
  bool varies() const { return varies_; }

  Selection Finish(std::uint64_t generation) && {
    const bool exact = all_.empty() || (all_.size() == 1 && complete_);
    Selection selection = {.outcome = all_.empty() ? Outcome() : all_.front(),
                           .why = exact ? Ambiguity::kNone : why_,
                           .candidates = {},
                           .complete = complete_,
                           .generation = generation};
    if (!exact) selection.candidates.assign(all_.begin(), all_.end());
    return selection;
  }

 private:
  absl::InlinedVector<Outcome, 1> all_;
  Ambiguity why_ = Ambiguity::kNone;
  bool complete_ = true, varies_ = false;
};

}  // namespace srcsel
