// Around an example of the documents, in C: the flow that it is about, in a namespace where mark
// 100 leads to another source; and the source that its socket then has.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "example_includes.h"

int main(void) {
  if (unshare(CLONE_NEWNET) != 0) return 1;
  if (system("ip link set lo up && ip address add 10.9.0.1/24 dev lo && "
             "ip address add 10.9.0.2/24 dev lo && ip route add default dev lo src 10.9.0.1 && "
             "ip route add default dev lo src 10.9.0.2 table 100 && "
             "ip rule add fwmark 100 table 100") != 0)
    return 1;
  struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(443)};
  inet_pton(AF_INET, "192.0.2.80", &server.sin_addr);
  const struct sockaddr *const address = (const struct sockaddr *)&server;
  const socklen_t address_size = sizeof(server);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);

#include "example.inc"

  struct sockaddr_in local;
  socklen_t size = sizeof(local);
  if (getsockname(fd, (struct sockaddr *)&local, &size) != 0) return 1;
  char text[INET_ADDRSTRLEN];
  puts(inet_ntop(AF_INET, &local.sin_addr, text, sizeof(text)));
  srcsel_close(&mirror);
}
