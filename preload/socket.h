/*
 * socket.h: what a socket and a destination say of the flow about to be opened. All is read from
 * the socket itself, at each call: there is no table of descriptors that dup(), fork(), exec(),
 * close_range() or SCM_RIGHTS could make wrong.
 *
 * WHOSE ADDRESS IS IT
 *   A socket that is to be connected once more (UDP; TCP after a refusal) may have an address: the
 *   application's, which is respected, or one that was left there by an earlier decision, which may
 *   be replaced. The socket remembers by an option. For datagrams that is IP_BIND_ADDRESS_NO_PORT,
 *   which the decision sets anyway and UDP programs do not use; for streams, where they do,
 *   IP_MULTICAST_LOOP off, which means nothing there: it is set where a connect() does not succeed
 * at once. What has an address and no such sign is the application's; bind() by the application
 * takes the sign away. The limits: MPTCP refuses the sign, so its first source stays, as does that
 * of a TCP connection that is dissolved (AF_UNSPEC); a mark that the application sets and the
 * policy names too is taken for ours.
 *
 * Cost: five system calls of 50 to 90 ns, up to seven where the socket was used before.
 */
#ifndef SRCSEL_PRELOAD_SOCKET_H
#define SRCSEL_PRELOAD_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <srcsel/abi.h>

union srcsel_name {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

struct srcsel_socket {
  int fd;
  int family; /* AF_INET or AF_INET6 */
  int stream;
  int left;         /* bears the sign */
  int out_of_reach; /* what was left is no address to reach the destination from */
  int may_mark;     /* known after srcsel_read_socket() */
  struct srcsel_flow flow;
};

/* Copies the destination out of the caller's memory. 0 if it is none that anybody decides about. */
int srcsel_read_name(const struct sockaddr *name, socklen_t size, union srcsel_name *copy);

/*
 * Fills in `socket` for a call of `operation` to `name`. 0 if the socket is none that the preload
 * touches: of another family or protocol, raw, listening, accepted, connecting or connected
 * streams; for SRCSEL_DATAGRAM, all but datagram sockets without an address, or with one left that
 * does not reach the destination. Before a connect(), such a socket's association is dissolved.
 */
int srcsel_read_socket(int fd, const union srcsel_name *name, int operation,
                       struct srcsel_socket *socket);

/* The tos that packets of a flow to be connected will have. */
void srcsel_read_tos(struct srcsel_socket *socket);

/* Whether the socket is a stream; for what only streams do. */
int srcsel_is_stream(int fd);

/* Puts the sign on a stream. That of datagrams is IP_BIND_ADDRESS_NO_PORT. */
void srcsel_sign_stream(int fd, int left);

/* Before bind() by the application: as if nothing had been left on the socket. */
void srcsel_forget(int fd);

#endif /* SRCSEL_PRELOAD_SOCKET_H */
