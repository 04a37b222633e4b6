/* source ADDRESS...: the source of a UDP connect() to each, and the socket's mark, a line each. */
#include "transcript.h"

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    const int v6 = strchr(argv[i], ':') != NULL;
    struct sockaddr_in name = at(argv[i], 53);
    struct sockaddr_in6 own = {0}, name6 = at6(argv[i], 53);
    socklen_t size = sizeof(own);
    int mark = 0, fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
    char text[INET6_ADDRSTRLEN];
    const int failed =
        v6 ? connect(fd, (void *)&name6, sizeof(name6)) : connect(fd, (void *)&name, sizeof(name));

    if (failed) {
      printf("%s\n", strerror(errno));
      close(fd);
      continue;
    }
    getsockname(fd, (void *)&own, &size);
    if (v6)
      inet_ntop(AF_INET6, &own.sin6_addr, text, sizeof(text));
    else
      inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)&own)->sin_addr, text, sizeof(text));
    size = sizeof(mark);
    getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &size);
    printf("%s %d\n", text, mark);
    close(fd);
  }
  return 0;
}
