// proxy DESTINATION PORT LISTEN:MARK[:bind]...
//
// A TCP proxy in one thread: whoever connects to a LISTEN port is passed on to the destination, as
// a flow that is to go where MARK leads; with `bind` the connection is bound to the source instead
// of being marked. Shows how an event loop embeds <srcsel/srcsel.h>: one descriptor to wait for,
// and one call before connect().
//
// Says "ready" when it listens. Ends with status 1 if it cannot begin; then by signals only.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <srcsel/srcsel.h>

enum kind { MIRROR, LISTENER, END };

// What an event is about. Each is the first member of something.
struct source {
  enum kind kind;
  int fd;
};

struct listener {
  struct source source;
  struct srcsel_prepare_options how;
};

// One of the two connections of a pair: what was read from it waits to be written to its peer.
struct end {
  struct source source;
  struct pair *pair;
  struct end *peer;
  bool ended, shut;  // nothing more comes from it, nothing more goes to it
  size_t first, count;
  char waiting[16384];
};

struct pair {
  struct end near, far;
  struct pair *next;  // of those to be freed
  bool over;
};

static int loop;
static struct srcsel_mirror *mirror;
static struct sockaddr_storage destination;
static socklen_t destination_size;
static struct pair *over;

static _Noreturn void die(const char *what, const char *why) {
  fprintf(stderr, "proxy: %s: %s\n", what, why);
  exit(1);
}

static void watch(struct source *source, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  if (epoll_ctl(loop, EPOLL_CTL_ADD, source->fd, &event) != 0) die("epoll", strerror(errno));
}

// Events of a pair may follow in the same batch, so it is freed after that.
static void finish(struct pair *pair) {
  if (pair->over) return;
  pair->over = true;
  close(pair->near.source.fd);
  close(pair->far.source.fd);
  pair->next = over;
  over = pair;
}

static void free_finished(void) {
  while (over != NULL) {
    struct pair *pair = over;
    over = pair->next;
    free(pair);
  }
}

// Passes on what there is. False if the connection is broken.
static bool pump(struct end *from) {
  struct end *to = from->peer;
  for (;;) {
    if (from->count == 0 && !from->ended) {
      const ssize_t size = recv(from->source.fd, from->waiting, sizeof(from->waiting), 0);
      if (size < 0) return errno == EAGAIN;
      from->first = 0;
      from->count = (size_t)size;
      from->ended = size == 0;
    }
    if (from->count > 0) {
      const ssize_t size =
          send(to->source.fd, from->waiting + from->first, from->count, MSG_NOSIGNAL);
      if (size < 0) return errno == EAGAIN;
      from->first += (size_t)size;
      from->count -= (size_t)size;
    } else if (from->ended) {
      if (!to->shut) shutdown(to->source.fd, SHUT_WR);
      to->shut = true;
      return true;
    }
  }
}

static void serve(struct pair *pair) {
  if (pair->over) return;
  if (!pump(&pair->near) || !pump(&pair->far) || (pair->near.shut && pair->far.shut)) finish(pair);
}

static int dial(const struct srcsel_prepare_options *how) {
  const struct sockaddr *to = (const struct sockaddr *)&destination;
  const int fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (srcsel_prepare(mirror, fd, to, destination_size, how, NULL) < 0)
    fprintf(stderr, "proxy: %s\n", srcsel_last_error());
  else if (connect(fd, to, destination_size) == 0 || errno == EINPROGRESS)
    return fd;
  close(fd);
  return -1;
}

static void welcome(struct listener *listener) {
  for (;;) {
    const int near = accept4(listener->source.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (near < 0) return;
    const int far = dial(&listener->how);
    struct pair *pair = far < 0 ? NULL : calloc(1, sizeof(*pair));
    if (pair == NULL) {
      close(near);
      if (far >= 0) close(far);
      continue;
    }
    pair->near = (struct end){.source = {END, near}, .pair = pair, .peer = &pair->far};
    pair->far = (struct end){.source = {END, far}, .pair = pair, .peer = &pair->near};
    watch(&pair->near.source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    watch(&pair->far.source, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  }
}

static void handle(struct source *source) {
  switch (source->kind) {
    case MIRROR:
      if (srcsel_process(mirror) < 0) fprintf(stderr, "proxy: %s\n", srcsel_last_error());
      break;
    case LISTENER:
      welcome((struct listener *)source);
      break;
    case END:
      serve(((struct end *)source)->pair);
      break;
  }
}

static struct listener *open_listener(const char *words) {
  struct listener *listener = calloc(1, sizeof(*listener));
  char port[8], bind_word[8] = "";
  unsigned mark;
  if (sscanf(words, "%7[0-9]:%u:%7s", port, &mark, bind_word) < 2) die(words, "no LISTEN:MARK");
  listener->how.size = sizeof(listener->how);
  listener->how.mark = mark;
  if (strcmp(bind_word, "bind") == 0) listener->how.flags = SRCSEL_PREPARE_BIND;
  listener->source.kind = LISTENER;
  listener->source.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const struct sockaddr_in local = {.sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)atoi(port)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener->source.fd, (const struct sockaddr *)&local, sizeof(local)) != 0 ||
      listen(listener->source.fd, SOMAXCONN) != 0)
    die(words, strerror(errno));
  return listener;
}

static void resolve(const char *host, const char *port) {
  const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found;
  const int error = getaddrinfo(host, port, &hints, &found);
  if (error != 0) die(host, gai_strerror(error));
  memcpy(&destination, found->ai_addr, found->ai_addrlen);
  destination_size = found->ai_addrlen;
  freeaddrinfo(found);
}

int main(int argc, char **argv) {
  if (argc < 4) die("usage", "proxy DESTINATION PORT LISTEN:MARK[:bind]...");
  resolve(argv[1], argv[2]);
  loop = epoll_create1(EPOLL_CLOEXEC);
  const struct srcsel_open_options options = {.size = sizeof(options), .flags = SRCSEL_THREADLESS};
  if (srcsel_open(&options, &mirror) < 0) die("open a mirror", srcsel_last_error());
  struct source changes = {MIRROR, srcsel_fd(mirror)};
  watch(&changes, EPOLLIN);
  for (int i = 3; i < argc; ++i) watch(&open_listener(argv[i])->source, EPOLLIN);
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[64];
    const int count = epoll_wait(loop, events, 64, -1);
    for (int i = 0; i < count; ++i) handle(events[i].data.ptr);
    free_finished();
  }
}
