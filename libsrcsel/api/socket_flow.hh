// What a socket has been told so far, as the flow that its connect() would open.

#pragma once

#include <srcsel/flow.hh>
#include <srcsel/srcsel.h>

namespace srcsel::api {

struct SocketFlow {
  int family = 0;  // of the socket: AF_INET6 also where the flow is of IPv4
  Flow flow;
};

// 0, or -errno. `destination` is what connect() will be given.
int ReadSocketFlow(int fd, const srcsel_sockaddr &destination, SocketFlow &socket);

}  // namespace srcsel::api
