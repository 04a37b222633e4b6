#include "counts.hh"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/printable.hh"

namespace srcsel {
namespace {

using Json = nlohmann::ordered_json;

#define SRCSEL_REASON_TEXT(name, text) text,
constexpr absl::string_view kReasons[] = {SRCSEL_REASONS(SRCSEL_REASON_TEXT)};
#undef SRCSEL_REASON_TEXT

}  // namespace

absl::string_view ReasonWord(std::uint32_t reason) {
  return reason < std::size(kReasons) ? kReasons[reason] : "?";
}

std::vector<std::string> ReasonWords() {
  return {std::begin(kReasons), std::end(kReasons)};
}

std::string RuleName(std::size_t rule, const std::vector<std::string> &names) {
  return rule < names.size() ? names[rule] : absl::StrCat("rule ", rule);
}

Json ReasonsToJson(const Counters &reasons) {
  Json json = Json::object();
  for (std::uint32_t reason = 0; reason < reasons.size(); ++reason)
    if (reasons[reason] != 0) json[std::string(ReasonWord(reason))] = reasons[reason];
  return json;
}

Json RulesToJson(const std::vector<srcsel_tally> &rules, const std::vector<std::string> &names) {
  Json json = Json::array();
  for (std::size_t i = 0; i < rules.size(); ++i)
    json.push_back({{"rule", RuleName(i, names)},
                    {"matched", rules[i].matched},
                    {"applied", rules[i].applied},
                    {"failed", rules[i].failed}});
  return json;
}

std::string CountsToText(const KeptCounts &counts, const std::vector<std::string> &rules) {
  std::vector<std::string> names;
  for (const std::string &rule : rules) names.push_back(Printable(rule));
  std::string text = "  decisions\n";
  for (std::uint32_t reason = 0; reason < counts.reasons.size(); ++reason)
    if (counts.reasons[reason] != 0)
      absl::StrAppendFormat(&text, "    %-14s %d\n", ReasonWord(reason), counts.reasons[reason]);
  std::size_t width = 0;
  for (std::size_t i = 0; i < counts.rules.size(); ++i)
    width = std::max(width, RuleName(i, names).size());
  const int column = static_cast<int>(width);
  absl::StrAppendFormat(&text, "  %-*s %12s %12s %12s\n", column + 2, "rules", "matched", "applied",
                        "failed");
  for (std::size_t i = 0; i < counts.rules.size(); ++i)
    absl::StrAppendFormat(&text, "    %-*s %12d %12d %12d\n", column, RuleName(i, names),
                          counts.rules[i].matched, counts.rules[i].applied, counts.rules[i].failed);
  if (counts.dropped != 0)
    absl::StrAppend(&text, "  events        ", counts.dropped, " nobody read in time\n");
  return text;
}

}  // namespace srcsel
