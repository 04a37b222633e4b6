#include "agent/control_words.hh"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"

namespace srcsel {
namespace {

using Json = nlohmann::ordered_json;

std::string Line(const Json &json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json OfFinding(const Finding &finding) {
  return {static_cast<int>(finding.severity), finding.place.file, finding.place.line, finding.key,
          finding.message};
}

Finding FindingOf(const Json &json) {
  return {static_cast<Severity>(json.at(0).get<int>()),
          {json.at(1).get<std::string>(), json.at(2).get<std::uint32_t>()},
          json.at(3).get<std::string>(),
          json.at(4).get<std::string>()};
}

absl::Status NotUnderstood(const Json::exception &wrong) {
  return absl::DataLossError(
      absl::StrCat("understand the other side, another srcsel: ", wrong.what()));
}

}  // namespace

std::string WordsOf(const ControlRequest &request) {
  return Line(
      {{"verb", static_cast<int>(request.verb)}, {"policy", request.policy}, {"all", request.all}});
}

std::string WordsOf(const ControlAnswer &answer) {
  Json findings = Json::array();
  for (const Finding &finding : answer.findings) findings.push_back(OfFinding(finding));
  return Line({{"code", static_cast<int>(answer.status.code())},
               {"message", std::string(answer.status.message())},
               {"findings", findings},
               {"rules", answer.rules},
               {"generation", answer.generation}});
}

absl::StatusOr<ControlRequest> RequestOfWords(const std::string &line) {
  try {
    const Json json = Json::parse(line);
    return ControlRequest{static_cast<ControlRequest::Verb>(json.at("verb").get<int>()),
                          json.at("policy").get<std::string>(), json.at("all").get<bool>()};
  } catch (const Json::exception &wrong) {
    return NotUnderstood(wrong);
  }
}

absl::StatusOr<ControlAnswer> AnswerOfWords(const std::string &line) {
  try {
    const Json json = Json::parse(line);
    ControlAnswer answer;
    answer.status = absl::Status(static_cast<absl::StatusCode>(json.at("code").get<int>()),
                                 json.at("message").get<std::string>());
    for (const Json &finding : json.at("findings")) answer.findings.push_back(FindingOf(finding));
    json.at("rules").get_to(answer.rules);
    json.at("generation").get_to(answer.generation);
    return answer;
  } catch (const Json::exception &wrong) {
    return NotUnderstood(wrong);
  }
}

}  // namespace srcsel
