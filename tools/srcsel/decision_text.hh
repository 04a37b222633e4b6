// A decision of a hook, as `srcsel trace` prints it.

#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include <srcsel/abi.h>
#include <srcsel/address.hh>

namespace srcsel {

IpAddress DestinationOf(const srcsel_event &event);

// One line without its end: "22:50:13.123456 curl 1234 tcp 192.0.2.80:443 source mark 0x64/0xff
// source 10.1.0.1 by srcsel.toml:3". `rule` is the name of the one that held, if any did;
// `boot_ns` is when the system was booted, since 1970.
std::string DecisionLine(const srcsel_event &event, const std::string &rule, std::int64_t boot_ns);

nlohmann::ordered_json DecisionJson(const srcsel_event &event, const std::string &rule,
                                    std::int64_t boot_ns);

}  // namespace srcsel
