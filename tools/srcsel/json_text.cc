#include "json_text.hh"

namespace srcsel {

using Json = nlohmann::ordered_json;

Json FindingsToJson(const Findings &findings) {
  Json json = Json::array();
  for (const Finding &finding : findings)
    json.push_back({{"severity", std::string(SeverityWord(finding.severity))},
                    {"file", finding.place.file},
                    {"line", finding.place.line},
                    {"key", finding.key},
                    {"message", finding.message}});
  return json;
}

std::string JsonLine(const Json &json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace srcsel
