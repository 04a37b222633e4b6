// What control.hh says, as lines of JSON.

#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "agent/control.hh"

namespace srcsel {

std::string WordsOf(const ControlRequest &request);
std::string WordsOf(const ControlAnswer &answer);

absl::StatusOr<ControlRequest> RequestOfWords(const std::string &line);
absl::StatusOr<ControlAnswer> AnswerOfWords(const std::string &line);

}  // namespace srcsel
