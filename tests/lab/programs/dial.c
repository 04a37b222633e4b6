// dial [-u] [-s] [-B] [-I] [-6] [-b ADDR] [-p PORT] [-i IF] [-m MARK] [-T TOS] [-k] [-t] [-n COUNT]
// [-w] [-g] ADDR PORT
//
// Connects, and prints the local address and port the kernel chose ("10.0.0.1 40000"), one line per
// connection. A plain program that knows nothing of uplinks: what it prints is what every program
// would get.
//
//   -u        UDP; a datagram of one byte follows, so that something is seen on the wire
//   -s        do not connect: sendto() the datagram
//   -B        do not ask for broadcasts to be let out (SO_BROADCAST), as else with UDP
//   -I        a ping socket, which sends nothing; PORT means nothing
//   -6        an AF_INET6 socket even for an IPv4 address (::ffff:a.b.c.d)
//   -b ADDR   bind to ADDR first
//   -p PORT   bind to PORT first, of any address unless -b names one
//   -i IF     bind to the interface (SO_BINDTODEVICE)
//   -m MARK   mark the socket (SO_MARK)
//   -T TOS    set IP_TOS and, of an AF_INET6 socket, IPV6_TCLASS
//   -k        print the socket's mark as well ("10.0.0.1 40000 mark 100")
//   -t        print when it was as well, in us of CLOCK_MONOTONIC: before it began, and after
//             ("10.0.0.1 40000 at 1234 1250")
//   -n COUNT  so many connections, one after the other
//   -w        before each further connection, wait for a line on stdin
//   -g        go on where a connection fails, and print nothing of it
//
// Exit status 0, or 1 with the failed call and the name of its errno on stderr, or 2 for bad usage.

#define _GNU_SOURCE
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "sockets.h"

struct options {
  int type;
  bool force_inet6, send_only, no_broadcast, ping;
  const char *bind_to, *bind_port, *interface;
  unsigned mark;
  int tos;
  bool print_mark, print_time, go_on;
  long count;
  bool wait;
};

static _Noreturn void usage(void) {
  fputs("usage: dial [OPTIONS] ADDR PORT; its source lists the options\n", stderr);
  exit(2);
}

static void set_option(int fd, int name, const void *value, socklen_t size, const char *call) {
  if (setsockopt(fd, SOL_SOCKET, name, value, size) != 0) fail(call);
}

static void prepare(const struct options *o, int fd, const struct addrinfo *from) {
  const int yes = 1;
  if (o->type == SOCK_DGRAM && !o->no_broadcast)
    set_option(fd, SO_BROADCAST, &yes, sizeof(yes), "SO_BROADCAST");
  if (o->mark) set_option(fd, SO_MARK, &o->mark, sizeof(o->mark), "SO_MARK");
  if (o->interface)
    set_option(fd, SO_BINDTODEVICE, o->interface, (socklen_t)strlen(o->interface) + 1,
               "SO_BINDTODEVICE");
  if (from && bind(fd, from->ai_addr, from->ai_addrlen) != 0) fail("bind");
}

static void set_tos(const struct options *o, int fd, int family) {
  if (setsockopt(fd, IPPROTO_IP, IP_TOS, &o->tos, sizeof(o->tos)) != 0) fail("IP_TOS");
  if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &o->tos, sizeof(o->tos)) != 0)
    fail("IPV6_TCLASS");
}

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

static void dial(const struct options *o, const struct addrinfo *from, const struct addrinfo *to) {
  const long long begin = now();
  const int ping = to->ai_family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
  const int fd = socket(to->ai_family, o->type, o->ping ? ping : 0);
  if (fd < 0) fail("socket");
  prepare(o, fd, from);
  if (o->tos) set_tos(o, fd, to->ai_family);
  if (!o->send_only && connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
    if (!o->go_on) fail("connect");
    close(fd);
    return;
  }
  const long long end = now();
  if (o->send_only) {
    if (sendto(fd, "x", 1, 0, to->ai_addr, to->ai_addrlen) != 1) fail("sendto");
  } else if (o->type == SOCK_DGRAM && !o->ping && send(fd, "x", 1, 0) != 1) {
    fail("send");
  }
  print_local_end(fd);
  if (o->print_mark) print_mark(fd);
  if (o->print_time) printf(" at %lld %lld", begin, end);
  puts("");
  fflush(stdout);
  close(fd);
}

static struct options parse(int argc, char **argv) {
  struct options o = {.type = SOCK_STREAM, .count = 1};
  for (int c; (c = getopt(argc, argv, "usBI6b:p:i:m:T:ktn:wg")) != -1;) switch (c) {
      case 'u':
        o.type = SOCK_DGRAM;
        break;
      case 's':
        o.type = SOCK_DGRAM;
        o.send_only = true;
        break;
      case 'B':
        o.no_broadcast = true;
        break;
      case 'I':
        o.type = SOCK_DGRAM;
        o.ping = true;
        break;
      case '6':
        o.force_inet6 = true;
        break;
      case 'b':
        o.bind_to = optarg;
        break;
      case 'p':
        o.bind_port = optarg;
        break;
      case 'i':
        o.interface = optarg;
        break;
      case 'm':
        o.mark = (unsigned)strtoul(optarg, NULL, 0);
        break;
      case 'T':
        o.tos = (int)strtol(optarg, NULL, 0);
        break;
      case 'k':
        o.print_mark = true;
        break;
      case 't':
        o.print_time = true;
        break;
      case 'n':
        o.count = atol(optarg);
        break;
      case 'w':
        o.wait = true;
        break;
      case 'g':
        o.go_on = true;
        break;
      default:
        usage();
    }
  if (argc - optind != 2 || o.count < 1) usage();
  return o;
}

static struct addrinfo *own_end(const struct options *o, int family) {
  if (!o->bind_to && !o->bind_port) return NULL;
  const char *any = family == AF_INET6 ? "::" : "0.0.0.0";
  return resolve(o->bind_to ? o->bind_to : any, o->bind_port ? o->bind_port : "0", o->type,
                 o->force_inet6);
}

static bool line_arrives(void) {
  for (int c; (c = getchar()) != EOF;)
    if (c == '\n') return true;
  return false;
}

int main(int argc, char **argv) {
  const struct options o = parse(argc, argv);
  struct addrinfo *to = resolve(argv[optind], argv[optind + 1], o.type, o.force_inet6);
  struct addrinfo *from = own_end(&o, to->ai_family);
  for (long i = 0; i < o.count; ++i) {
    if (i > 0 && o.wait && !line_arrives()) break;
    dial(&o, from, to);
  }
  freeaddrinfo(to);
  if (from) freeaddrinfo(from);
  return 0;
}
