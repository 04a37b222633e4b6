/* No descriptor is left: calls do what they do without the preload, which opens none then. */
#include <sys/resource.h>

#include "transcript.h"

int main(void) {
  struct sockaddr_in name = at(SERVER, 9);
  const int stream = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  const struct rlimit none = {(rlim_t)datagrams + 1, (rlim_t)datagrams + 1};

  setrlimit(RLIMIT_NOFILE, &none);
  say("socket", CALL(socket(AF_INET, SOCK_DGRAM, 0)));
  say("sendto", CALL(sendto(datagrams, "x", 1, 0, (void *)&name, sizeof(name))));
  say("connect, datagrams", CALL(connect(datagrams, (void *)&name, sizeof(name))));
  say("connect, stream", CALL(connect(stream, (void *)&name, sizeof(name))));
  say("socket", CALL(socket(AF_INET, SOCK_DGRAM, 0)));
  return 0;
}
