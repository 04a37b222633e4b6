/*
 * srcsel for programs in C: which source address the kernel takes for a flow, and making it take
 * the right one.
 *
 *     struct srcsel_mirror *mirror = NULL;
 *     srcsel_open(NULL, &mirror);
 *     ...
 *     int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
 *     struct srcsel_prepare_options how = {.size = sizeof(how), .mark = 100};
 *     srcsel_prepare(mirror, fd, address, address_size, &how, NULL);
 *     connect(fd, address, address_size);
 *     ...
 *     srcsel_close(&mirror);
 *
 * A handle is a mirror of one network namespace's routing; <srcsel/mirror.hh> says what that
 * promises: how it follows the kernel, what it does when that fails, which threads may do what
 * (here: all functions from any thread, but srcsel_process(), srcsel_reopen() and srcsel_close()
 * from one at a time), and what fork() means (call srcsel_reopen() in the child).
 *
 * Errors: functions that return int return 0 or more, or -errno; srcsel_last_error() has the
 * sentence. -EBADF: the handle is NULL, as srcsel_close() leaves it. -EINVAL: an argument is
 * missing, or makes no sense. -ESTALE: in the child of a fork() before srcsel_reopen(). An out
 * parameter is written only on success. Nothing here prints, exits, raises a signal or throws.
 *
 * Versions: a structure that a caller makes begins with its size, which he sets to sizeof. It grows
 * at its end only and zero there means what was before, so a program built with this header goes on
 * working with every libsrcsel.so.0. One built with a newer header gets -E2BIG if it sets something
 * that the library does not know. -EINVAL: smaller than any. Numbers are in host byte order.
 */

#ifndef SRCSEL_SRCSEL_H
#define SRCSEL_SRCSEL_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; srcsel_version() is that of the library. Major in the upper 16 bits. */
#define SRCSEL_VERSION 0x00000001u
uint32_t srcsel_version(void);

/* The sentence for the last error of the calling thread, valid until its next call. Never NULL. */
const char *srcsel_last_error(void);

struct srcsel_mirror;

/* ---- opening ---- */

/* No thread of its own: the mirror follows when srcsel_process() is called. */
#define SRCSEL_THREADLESS 1u

struct srcsel_open_options {
  size_t size;
  uint32_t flags;    /* SRCSEL_THREADLESS */
  const char *netns; /* a name as `ip netns` knows it, or a path; NULL: the calling thread's */
};

/* `options` may be NULL. */
int srcsel_open(const struct srcsel_open_options *options, struct srcsel_mirror **mirror);
/* Sets the handle to NULL. NULL, and a handle that is NULL already, are no error. */
void srcsel_close(struct srcsel_mirror **mirror);
/* In the child of a fork(): a mirror of its own. Elsewhere nothing. */
int srcsel_reopen(struct srcsel_mirror *mirror);

/* ---- following ---- */

/* Of a threadless mirror: readable (POLLIN, EPOLLIN) when srcsel_process() has work. */
int srcsel_fd(const struct srcsel_mirror *mirror);
/* Fails as srcsel_status() does. */
int srcsel_process(struct srcsel_mirror *mirror);

/* Counts the states that were mirrored: 1, 2, ...; 0: none (NULL, or in a child). */
uint64_t srcsel_generation(const struct srcsel_mirror *mirror);
/* 1 if answers show all that the mirror has heard of, 0 if it has yet to read a change. */
int srcsel_current(const struct srcsel_mirror *mirror);
/* 0 if all is followed. Else what failed; answers are those of the last good state. `since`, which
 * may be NULL, is written in any case but -EBADF: when it failed, in nanoseconds since 1970; 0 if
 * it did not. */
int srcsel_status(const struct srcsel_mirror *mirror, int64_t *since);

/* ---- asking ---- */

union srcsel_sockaddr {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6; /* IPv4-mapped: a flow of IPv4; a scope id means oif */
};

#define SRCSEL_FLOW_OIF_WISH 1u    /* oif is IP_UNICAST_IF or the like, not SO_BINDTODEVICE */
#define SRCSEL_FLOW_TRANSPARENT 2u /* IP_TRANSPARENT */
#define SRCSEL_FLOW_BROADCAST 4u   /* SO_BROADCAST */

struct srcsel_question {
  size_t size;
  union srcsel_sockaddr destination;
  union srcsel_sockaddr source; /* what the socket is bound to; all zero: nothing */
  uint32_t protocol;            /* 0: IPPROTO_TCP */
  uint32_t flags;               /* SRCSEL_FLOW_* */
  uint32_t mark;                /* SO_MARK */
  uint32_t uid;                 /* of the socket's owner */
  uint32_t oif;                 /* interface index: SO_BINDTODEVICE */
  uint32_t tos;                 /* IP_TOS, IPV6_TCLASS */
  uint32_t label;               /* IPv6 flow label */
  uint32_t prefer;              /* IPV6_ADDR_PREFERENCES */
};

struct srcsel_outcome {
  int32_t error;                 /* errno of connect(); 0: the flow leaves, as follows */
  uint32_t oif;                  /* interface index */
  char device[16];               /* its name */
  union srcsel_sockaddr source;  /* port 0 */
  union srcsel_sockaddr gateway; /* family AF_UNSPEC: none */
  union srcsel_sockaddr prefix;  /* of the route */
  uint32_t prefix_length;        /* */
  uint32_t rule;                 /* preference of the ip rule that decided; 0xffffffff: none */
  uint32_t table;                /* 0: none decided */
  uint32_t type;                 /* RTN_* */
  uint32_t metric;               /* */
  uint32_t nexthop_id;           /* of the nexthop object; 0: none */
  uint32_t mtu;                  /* if the route has one, else 0 */
  uint32_t reserved[6];          /* 0 */
};

struct srcsel_answer {
  size_t size;
  uint64_t generation;
  uint32_t exact; /* 1, or 0: what decides is hidden, and this is one of several */
  char why[12];   /* "exact", or what is hidden, in a word: "hash", "port", ... */
  struct srcsel_outcome outcome;
  uint32_t candidate_count; /* 0 if exact */
  uint32_t all_known;       /* 0 if there may be candidates that cannot be named */
  /* Set by the caller: where candidates are written to, and how many there is room for. */
  uint32_t candidate_room;
  struct srcsel_outcome *candidates;
};

/* What connect() of such a socket will do. A flow that cannot leave is an answer, not an error. */
int srcsel_select(const struct srcsel_mirror *mirror, const struct srcsel_question *question,
                  struct srcsel_answer *answer);
/* One lookup: what `ip route get` would say. */
int srcsel_lookup(const struct srcsel_mirror *mirror, const struct srcsel_question *question,
                  struct srcsel_answer *answer);

#define SRCSEL_TEXT 0u
#define SRCSEL_JSON 1u /* keys as `ip -j route get` has them, and ours; none is ever removed */

/* The answer of srcsel_select() in words, for srcsel_free(). */
int srcsel_explain(const struct srcsel_mirror *mirror, const struct srcsel_question *question,
                   uint32_t format, char **text);
void srcsel_free(char *text);

/* ---- preparing ---- */

#define SRCSEL_PREPARE_BIND 1u /* bind to the source, never set the mark */

struct srcsel_prepare_options {
  size_t size;
  uint32_t flags;
  uint32_t mark;                  /* the flow is to go where this mark leads; 0: no such wish */
  uint16_t port_first, port_last; /* local ports to choose from; 0, 0: the host's */
};

/* What srcsel_prepare() has done. */
#define SRCSEL_SET_MARK 1u   /* SO_MARK: the kernel chooses by itself */
#define SRCSEL_SET_SOURCE 2u /* bound to the source, without a port */
#define SRCSEL_SET_PORTS 4u  /* IP_LOCAL_PORT_RANGE */

/*
 * Readies a socket for a connect() to the destination that its caller makes next. Returns what it
 * set, as bits; 0 if nothing needs to be. `options` and `answer` may be NULL; the answer is that of
 * srcsel_select() for the socket, marked as wished.
 *
 * With a mark the socket is given it, if it has none and this process may (CAP_NET_ADMIN or
 * CAP_NET_RAW); if not, it is bound to the source that the mark leads to, the port being left to
 * connect() (IP_BIND_ADDRESS_NO_PORT): whoever marks its packets later then routes them as that
 * source. What the application itself has set is respected: a mark, a device, an address, a port
 * (with which no address can be bound any more). The source of a flow that cannot leave, or whose
 * candidates differ in it, is never bound.
 *
 * Errors: -EAFNOSUPPORT, where the socket's and the destination's family differ or are none of IP;
 * those of getsockopt(), setsockopt() and bind(). What was set before stays set.
 */
int srcsel_prepare(const struct srcsel_mirror *mirror, int fd, const struct sockaddr *destination,
                   socklen_t destination_size, const struct srcsel_prepare_options *options,
                   struct srcsel_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
