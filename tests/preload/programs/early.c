/* A library of a program: it connects before main() and before the preload's own constructor. */
#include "transcript.h"

char early_source[INET_ADDRSTRLEN];

__attribute__((constructor)) static void connect_early(void) {
  struct sockaddr_in name = at(SERVER, 9), own = {0};
  socklen_t size = sizeof(own);
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);

  connect(fd, (void *)&name, sizeof(name));
  getsockname(fd, (void *)&own, &size);
  inet_ntop(AF_INET, &own.sin_addr, early_source, sizeof(early_source));
  close(fd);
}
