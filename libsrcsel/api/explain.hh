// An answer in words: lines for people, or JSON for programs.
//
// The JSON has the keys of `ip -j route get` for what both have to say (dst, dev, gateway, prefsrc,
// table, type, metric), the others are in the sources of this room. Keys are added, never removed
// nor given another meaning; one without a value is missing.

#pragma once

#include <string>

#include <srcsel/mirror.hh>

namespace srcsel::api {

std::string ExplainText(const Mirror &mirror, const Flow &flow, const Selection &selection);
std::string ExplainJson(const Mirror &mirror, const Flow &flow, const Selection &selection);

}  // namespace srcsel::api
