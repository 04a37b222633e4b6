#include "lookup/decide.hh"

#include <array>

#include "engine/decide.h"

namespace srcsel {

srcsel_decision Decide(const Image &image, const srcsel_flow &flow) {
  const srcsel_memory memory = image.memory();
  srcsel_decision decision;
  srcsel_decide(&memory, srcsel_open(&memory), &flow, &decision);
  return decision;
}

absl::string_view ReasonText(std::uint32_t reason) {
#define SRCSEL_REASON_TEXT(name, text) absl::string_view(text),
  static constexpr std::array kTexts = {SRCSEL_REASONS(SRCSEL_REASON_TEXT)};
#undef SRCSEL_REASON_TEXT
  static_assert(kTexts.size() == SRCSEL_WHY_COUNT);
  return reason < kTexts.size() ? kTexts[reason] : "?";
}

}  // namespace srcsel
