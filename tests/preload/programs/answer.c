/* A UDP server of 1990: one socket on any address, recvfrom() and sendto(). Two questions. */
#include "transcript.h"

int main(int argc, char **argv) {
  const int v6 = argc > 1 && !strcmp(argv[1], "6");
  struct sockaddr_in any = at("0.0.0.0", 7);
  struct sockaddr_in6 any6 = at6("::", 7);
  const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_storage peer;

  if (v6 ? bind(fd, (void *)&any6, sizeof(any6)) : bind(fd, (void *)&any, sizeof(any))) return 1;
  printf("listening\n");
  fflush(stdout);
  for (int i = 0; i < 2; ++i) {
    char bytes[64];
    socklen_t size = sizeof(peer);
    const ssize_t count = recvfrom(fd, bytes, sizeof(bytes), 0, (void *)&peer, &size);
    if (count < 0 || sendto(fd, bytes, (size_t)count, 0, (void *)&peer, size) != count) return 1;
  }
  return 0;
}
