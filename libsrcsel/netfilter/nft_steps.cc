#include "netfilter/nft_steps.hh"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "netfilter/numbers.hh"

namespace srcsel {
namespace {

std::string Words(const NftJson &json) {
  constexpr std::size_t kLongest = 120;
  std::string text = json.dump(-1, ' ', false, NftJson::error_handler_t::replace);
  return text.size() > kLongest ? text.substr(0, kLongest) + "..." : text;
}

void AddUnknownMatch(const NftJson &what, std::vector<NfStep> &steps) {
  constexpr absl::string_view kAside[] = {
      R"("limit":)",         R"("quota":)",          R"("numgen":)",      R"("ct count":)",
      R"({"key":"random"})", R"({"key":"time"})",    R"({"key":"hour"})", R"({"key":"day"})",
      R"({"key":"length"})", R"("field":"length"}})"};
  std::string words = Words(what);
  const bool is_aside = std::ranges::any_of(
      kAside, [&](absl::string_view part) { return absl::StrContains(words, part); });
  steps.emplace_back(NfUnknownMatch{std::move(words), is_aside});
}

void AddUnknownStatement(const NftJson &what, std::vector<NfStep> &steps) {
  steps.emplace_back(NfUnknownStatement{Words(what)});
}

// "<", ">=" and the like.
std::optional<NfNumbers> Compared(const std::string &op, const NftJson &right, NfField field) {
  const std::optional<NfBoxes> boxes = NftBoxesOf({{field}}, right);
  if (!boxes || boxes->size() != 1) return std::nullopt;
  const auto *numbers = std::get_if<NfNumbers>(&boxes->front().front());
  if (numbers == nullptr || numbers->size() != 1 || numbers->front().first != numbers->front().last)
    return std::nullopt;
  const std::uint32_t number = numbers->front().first;
  constexpr std::uint32_t kLast = 0xffffffff;
  if (op == "<=") return NfNumbers{{0, number}};
  if (op == ">=") return NfNumbers{{number, kLast}};
  if (op == "<" && number > 0) return NfNumbers{{0, number - 1}};
  if (op == ">" && number < kLast) return NfNumbers{{number + 1, kLast}};
  return std::nullopt;
}

std::shared_ptr<const NfBoxes> RightSide(const NftJson &match, const std::vector<NfKey> &keys,
                                         NftSets &sets) {
  const NftJson &right = match["right"];
  const std::string op = match.value("op", "==");
  if (right.is_string() && absl::StartsWith(right.get<std::string>(), "@"))
    return op == "==" || op == "!=" ? sets.Boxes(right.get<std::string>().substr(1), keys)
                                    : nullptr;
  // Flags: any of them, or none.
  const bool flags = op == "in" || op == "!";
  if (flags && keys.front().field != NfField::kConnectionState) return nullptr;
  if (right.is_array() && !flags) return nullptr;
  if (absl::StartsWith(op, "<") || absl::StartsWith(op, ">")) {
    const auto numbers = keys.size() == 1 ? Compared(op, right, keys[0].field) : std::nullopt;
    return numbers ? std::make_shared<const NfBoxes>(NfBoxes{{*numbers}}) : nullptr;
  }
  std::optional<NfBoxes> boxes = NftBoxesOf(keys, right);
  if (!boxes) return nullptr;
  return std::make_shared<const NfBoxes>(Joined(*std::move(boxes), ""));
}

void AddMatch(const NftJson &match, NftSets &sets, std::vector<NfStep> &steps) {
  const NftKey key = NftKeyOf(match["left"]);
  for (const NfMatch &implied : key.implied) steps.emplace_back(implied);
  if (key.keys.empty()) return AddUnknownMatch(match["left"], steps);
  std::shared_ptr<const NfBoxes> boxes = RightSide(match, key.keys, sets);
  if (boxes == nullptr) return AddUnknownMatch(match, steps);
  const std::string op = match.value("op", "==");
  const bool negated = op == "!=" || op == "!";
  steps.emplace_back(NfMatch{key.keys, std::move(boxes), negated});
  // What is in a cgroup above that level has none there: for the kernel, the rule then ends.
  if (negated && std::ranges::count(key.keys, NfField::kCgroup, &NfKey::field) != 0)
    AddUnknownMatch(match, steps);
}

void AddLookup(const NftJson &map, bool of_connection, NftSets &sets, std::vector<NfStep> &steps) {
  const NftKey key = NftKeyOf(map["key"]);
  const NftJson &data = map["data"];
  for (const NfMatch &implied : key.implied) steps.emplace_back(implied);
  std::shared_ptr<const std::vector<NfCase>> cases;
  if (data.is_string())
    cases = sets.Cases(data.get<std::string>().substr(1), key.keys);
  else if (data.is_object() && data.contains("set"))
    cases = NftCasesOf(data["set"], key.keys, "");
  if (cases == nullptr) return AddUnknownStatement(map, steps);
  if (of_connection) {
    std::vector<NfCase> marked = *cases;
    for (NfCase &one : marked)
      if (auto *set = std::get_if<NfSetMark>(&one.then)) set->of_connection = true;
    cases = std::make_shared<const std::vector<NfCase>>(std::move(marked));
  }
  if (key.keys.empty())
    steps.emplace_back(NfUnknownLookup{Words(map["key"]), std::move(cases)});
  else
    steps.emplace_back(NfLookup{key.keys, std::move(cases)});
}

// A mark computed from marks; nothing if it comes from elsewhere.
std::optional<NfMarkValue> MarkValueOf(const NftJson &json) {
  if (json.is_number_unsigned()) return NfMarkValue{0, 0, json.get<std::uint32_t>()};
  if (!json.is_object() || json.size() != 1) return std::nullopt;
  const std::string &kind = json.begin().key();
  const NftJson &value = json.begin().value();
  const bool is_mark = value.is_object() && value.value("key", "") == "mark";
  if (kind == "meta" && is_mark) return NfMarkValue{0xffffffff, 0, 0};
  if (kind == "ct" && is_mark) return NfMarkValue{0, 0xffffffff, 0};
  if (!value.is_array() || value.size() < 2) return std::nullopt;
  std::optional<NfMarkValue> result = MarkValueOf(value[0]);
  for (std::size_t i = 1; i < value.size() && result; ++i) {
    if (!value[i].is_number_unsigned()) return std::nullopt;
    const std::uint32_t number = value[i].get<std::uint32_t>();
    const std::uint32_t keep = kind == "|" ? ~number : kind == "&" ? number : 0xffffffff;
    if (kind != "&" && kind != "|" && kind != "^") return std::nullopt;
    *result = {result->packet & keep, result->connection & keep, result->constant & keep};
    if (kind != "&") result->constant ^= number;
  }
  return result;
}

void AddMangle(const NftJson &mangle, NftSets &sets, std::vector<NfStep> &steps) {
  const NftJson &key = mangle["key"], &value = mangle["value"];
  const std::string &kind = key.begin().key();
  const NftJson &object = key.begin().value();
  const std::string field = object.is_object() ? object.value("key", "") : "";
  if ((kind == "meta" || kind == "ct") && field == "mark") {
    const bool of_connection = kind == "ct";
    if (value.is_object() && value.contains("map"))
      return AddLookup(value["map"], of_connection, sets, steps);
    if (const std::optional<NfMarkValue> mark = MarkValueOf(value))
      steps.emplace_back(NfSetMark{of_connection, *mark});
    else
      AddUnknownStatement(mangle, steps);
    return;
  }
  // Of a header, only the time to live changes without another look at the route.
  const bool harmless = kind != "payload" || object.value("field", "") == "ttl";
  if (!harmless) AddUnknownStatement(mangle, steps);
}

}  // namespace

void AddNftSteps(const NftJson &statement, NftSets &sets, std::vector<NfStep> &steps) {
  static const std::set<std::string> kTransparent = {
      "counter", "log",     "ct helper", "ct timeout", "ct expectation",
      "dup",     "secmark", "last",      "continue"};
  static const std::set<std::string> kConditions = {"limit", "quota", "ct count", "set", "meter"};
  if (const std::optional<NfVerdict> verdict = NftVerdictOf(statement)) {
    steps.emplace_back(*verdict);
    return;
  }
  if (!statement.is_object() || statement.size() != 1) return AddUnknownStatement(statement, steps);
  const std::string &kind = statement.begin().key();
  const NftJson &value = statement.begin().value();
  if (kind == "match")
    AddMatch(value, sets, steps);
  else if (kind == "mangle")
    AddMangle(value, sets, steps);
  else if (kind == "vmap")
    AddLookup(value, false, sets, steps);
  else if (kind == "notrack")
    steps.emplace_back(NfNoTrack());
  else if (kConditions.contains(kind) || (kind == "xt" && value.value("type", "") == "match"))
    AddUnknownMatch(statement, steps);
  else if (!kTransparent.contains(kind))
    AddUnknownStatement(statement, steps);
}

}  // namespace srcsel
