#include "lookup/policy_steps.hh"

#include <algorithm>

#include "engine/classify.h"

namespace srcsel {
namespace {

struct Accepted {
  srcsel_property property;
  const srcsel_vector *rules;  // NULL: none of those that are asked for
};

bool Accepts(const Accepted &accepted, std::uint32_t rule) {
  return accepted.rules != nullptr && (accepted.rules->word[rule / 64] >> (rule % 64) & 1) != 0;
}

std::vector<Accepted> AcceptedBy(const srcsel_memory &memory, const srcsel_header &head,
                                 const srcsel_flow &flow) {
  const srcsel_dimensions &dimensions = head.dimensions[flow.family & 1];
  srcsel_numbering numbering{};
  numbering.image = &memory;
  numbering.head = &head;
  numbering.flow = &flow;
  std::vector<Accepted> accepted;
  for (std::uint32_t i = 0; i < std::min(dimensions.count, SRCSEL_MAX_DIMENSIONS); ++i) {
    srcsel_number_step(i, &numbering);
    const auto property = static_cast<srcsel_property>(dimensions.list[i].property);
    // An only dimension has no vectors, and accepts none before the rule that holds.
    if (dimensions.count == 1) return {{property, nullptr}};
    accepted.push_back(
        {property, static_cast<const srcsel_vector *>(srcsel_object(
                       &memory, head.vectors.page, numbering.number[i], sizeof(srcsel_vector)))});
  }
  return accepted;
}

}  // namespace

const char *PropertyWord(srcsel_property property) {
  switch (property) {
    case SRCSEL_BY_PROTO:
      return "ipproto";
    case SRCSEL_BY_UID:
      return "uidrange";
    case SRCSEL_BY_GID:
      return "gid";
    case SRCSEL_BY_CLASSID:
      return "classid";
    case SRCSEL_BY_COMM:
      return "comm";
    case SRCSEL_BY_CGROUP:
      return "cgroup";
    case SRCSEL_BY_MARK:
      return "if-mark";
    case SRCSEL_BY_DST:
      return "to";
    case SRCSEL_BY_DPORT:
      return "dport";
    case SRCSEL_PROPERTIES:
      break;
  }
  return "?";
}

std::vector<PassedRule> RulesPassed(const Image &image, const srcsel_flow &flow,
                                    std::uint32_t end) {
  const srcsel_memory memory = image.memory();
  const srcsel_header &head = image.header();
  const std::vector<Accepted> all = AcceptedBy(memory, head, flow);
  std::vector<PassedRule> passed;
  for (std::uint32_t rule = 0; rule < std::min(end, head.policy.count); ++rule) {
    PassedRule one{.index = rule};
    for (const Accepted &accepted : all)
      if (!Accepts(accepted, rule) &&
          std::ranges::find(one.missed, accepted.property) == one.missed.end())
        one.missed.push_back(accepted.property);
    passed.push_back(std::move(one));
  }
  return passed;
}

}  // namespace srcsel
