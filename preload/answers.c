#include "answers.h"

#include "raw.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

#define ENTRIES 4096u

struct key {
  __u64 socket;
  __u8 peer[16];
  __u64 port;
};

/* One cache line. */
struct entry {
  __u32 sequence; /* odd: being written */
  __u32 zero;
  __u64 key[4];
  __u64 local[2];
} __attribute__((aligned(64)));

static struct entry entries[ENTRIES];

static int make_key(int fd, const union srcsel_name *peer, __u64 *words) {
  struct key key = {0};
  socklen_t size = sizeof(key.socket);

  if (SRCSEL_RAW5(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &key.socket, &size)) return 0;
  if (peer->any.sa_family == AF_INET) {
    __builtin_memcpy(key.peer, &peer->v4.sin_addr, 4);
    key.port = peer->v4.sin_port;
  } else {
    __builtin_memcpy(key.peer, &peer->v6.sin6_addr, 16);
    key.port = peer->v6.sin6_port;
  }
  __builtin_memcpy(words, &key, sizeof(key));
  return 1;
}

static struct entry *place_of(const __u64 *key) {
  __u64 hash = 0;

  for (int i = 0; i < 4; ++i) hash = (hash ^ key[i]) * 0x9e3779b97f4a7c15ull ^ hash >> 29;
  return &entries[(hash >> 32) % ENTRIES];
}

static int may_answer(int family, const __u8 *local) {
  const struct in6_addr *v6 = (const struct in6_addr *)(const void *)local;

  if (family == AF_INET) return local[0] != 0 && local[0] < 0xe0;
  return !IN6_IS_ADDR_MULTICAST(v6) && !IN6_IS_ADDR_LINKLOCAL(v6) && !IN6_IS_ADDR_UNSPECIFIED(v6);
}

void srcsel_remember_answer(int fd, const union srcsel_name *peer, const __u8 *local) {
  __u64 key[4], value[2];
  struct entry *entry;
  __u32 sequence;

  if (!may_answer(peer->any.sa_family, local) || !make_key(fd, peer, key)) return;
  entry = place_of(key);
  sequence = __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED) & ~1u;
  if (!__atomic_compare_exchange_n(&entry->sequence, &sequence, sequence + 1, 0, __ATOMIC_ACQUIRE,
                                   __ATOMIC_RELAXED))
    return;
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __builtin_memcpy(value, local, sizeof(value));
  for (int i = 0; i < 4; ++i) __atomic_store_n(&entry->key[i], key[i], __ATOMIC_RELAXED);
  for (int i = 0; i < 2; ++i) __atomic_store_n(&entry->local[i], value[i], __ATOMIC_RELAXED);
  __atomic_store_n(&entry->sequence, sequence + 2, __ATOMIC_RELEASE);
}

int srcsel_find_answer(int fd, const union srcsel_name *peer, __u8 *local) {
  __u64 key[4], value[2], differs = 0;
  struct entry *entry;
  __u32 sequence;

  if (!make_key(fd, peer, key)) return 0;
  entry = place_of(key);
  sequence = __atomic_load_n(&entry->sequence, __ATOMIC_ACQUIRE);
  for (int i = 0; i < 4; ++i) differs |= key[i] ^ __atomic_load_n(&entry->key[i], __ATOMIC_RELAXED);
  for (int i = 0; i < 2; ++i) value[i] = __atomic_load_n(&entry->local[i], __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  if (differs || sequence & 1 || __atomic_load_n(&entry->sequence, __ATOMIC_RELAXED) != sequence)
    return 0;
  __builtin_memcpy(local, value, sizeof(value));
  return 1;
}

int srcsel_is_server(int fd, union srcsel_name *own) {
  const struct in6_addr *v6 = &own->v6.sin6_addr;
  socklen_t size = sizeof(*own);

  if (srcsel_option(fd, SOL_SOCKET, SO_TYPE, 0) != SOCK_DGRAM ||
      srcsel_option(fd, SOL_SOCKET, SO_PROTOCOL, 0) != IPPROTO_UDP)
    return 0;
  if (SRCSEL_RAW3(SYS_getsockname, fd, own, &size)) return 0;
  if (own->any.sa_family == AF_INET) return own->v4.sin_port && !own->v4.sin_addr.s_addr;
  return own->any.sa_family == AF_INET6 && own->v6.sin6_port && IN6_IS_ADDR_UNSPECIFIED(v6);
}
