// The C API's structures and the C++ API's values, one from the other.

#pragma once

#include "absl/status/statusor.h"
#include <srcsel/mirror.hh>
#include <srcsel/srcsel.h>

namespace srcsel::api {

// 0, or -errno of an address whose family is not AF_INET or AF_INET6. The port is left out.
int ToAddress(const srcsel_sockaddr &from, IpAddress &to);
std::uint16_t PortOf(const srcsel_sockaddr &address);
// With port 0.
srcsel_sockaddr ToSockaddr(const IpAddress &address);

// 0, or -errno of what no flow has.
int ToFlow(const srcsel_question &question, Flow &flow);

// Writes the candidates where `answer` says that there is room, and all the rest into it.
void ToAnswer(const Mirror &mirror, const Selection &selection, srcsel_answer &answer);

}  // namespace srcsel::api
