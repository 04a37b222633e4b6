#include "agent/up_events.hh"

#include <poll.h>

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/control.hh"
#include "agent/up_pins.hh"
#include "agent/up_state.hh"
#include "base/status.hh"
#include "hooks/kept_counts.hh"
#include "hooks/kept_image.hh"

namespace srcsel {
namespace {

// Between an image and the names of its rules: the process first publishes, then writes down.
constexpr int kPatienceMs = 50;

}  // namespace

absl::StatusOr<UpEvents> UpEvents::Open(const UpPaths &paths, bool all) {
  absl::StatusOr<Pins> pins = OpenPins(paths);
  const Fd map = pins.ok() ? pins->Map("events") : Fd();
  if (!map && (pins.ok() || absl::IsNotFound(pins.status())))
    return absl::NotFoundError("nothing is up: srcsel up brings it up");
  SRCSEL_RETURN_IF_ERROR(pins.status());
  SRCSEL_ASSIGN_OR_RETURN(EventRing ring, EventRing::Open(map.get()));
  UpEvents events(paths, *std::move(pins), std::move(ring));
  SRCSEL_ASSIGN_OR_RETURN(Asked asked,
                          Ask(paths, {.verb = ControlRequest::Verb::kTrace, .all = all}));
  SRCSEL_RETURN_IF_ERROR(asked.answer.status);
  events.connection_ = std::move(asked.connection);
  SRCSEL_ASSIGN_OR_RETURN(events.missed_before_, ReadDropped(events.pins_));
  return events;
}

std::uint64_t UpEvents::Missed() const {
  return ReadDropped(pins_).value_or(missed_before_) - missed_before_;
}

std::string UpEvents::RuleOf(const srcsel_event &event) {
  const std::uint32_t row = event.decision.policy;
  if (row == SRCSEL_NONE) return "";
  for (int i = 0; i < kPatienceMs && newest_ < event.decision.generation; ++i) {
    if (i != 0) poll(nullptr, 0, 1);
    LearnNames();
  }
  const auto after = names_.upper_bound(event.decision.generation);
  if (after == names_.begin()) return absl::StrCat("row ", row);
  const std::vector<std::string> &names = std::prev(after)->second;
  return row < names.size() ? names[row] : absl::StrCat("row ", row);
}

void UpEvents::LearnNames() {
  const absl::StatusOr<KeptImage> image = KeptImage::Open(pins_);
  const absl::StatusOr<UpState> state = ReadUpState(paths_);
  if (!image.ok() || !image->IsOurs() || !state.ok()) return;
  if (state->generation != image->header().generation) return;
  newest_ = state->generation;
  std::vector<std::string> names;
  for (const srcsel_policy &policy : image->policy())
    names.push_back(policy.id < state->rules.size() ? state->rules[policy.id]
                                                    : absl::StrCat("rule ", policy.id));
  if (names_.empty() || std::prev(names_.end())->second != names)
    names_.emplace(newest_, std::move(names));
}

}  // namespace srcsel
