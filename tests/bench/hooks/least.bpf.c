/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * least: hooks without an engine. Each makes the calls of the kernel that an action takes, with
 * constants, and nothing else: what no hook that does the same can fall below on this machine.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SO_MARK 36

/* Calls that the kernel refused: what is measured is then something else. */
__u64 least_refused = 0;

struct claim {
  __u64 netns; /* a constant here: it was asked for */
  __u32 source, peer;
  __u16 port, peer_port;
  __u32 zero;
};

struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 16384);
  __type(key, struct claim);
  __type(value, __u64);
} least_claims SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, __u32);
} least_facts SEC(".maps");

static __always_inline int did(long error) {
  if (error) __sync_fetch_and_add(&least_refused, 1);
  return 1;
}

/* What leaves something on the socket asks whether the call is refused already; what is not for
 * every namespace, for which it is: 0 is none. */
static __always_inline int may_act(void) {
  return !bpf_get_retval();
}

static __always_inline int is_home(struct bpf_sock_addr *ctx) {
  return bpf_get_netns_cookie(ctx) != 0;
}

static __always_inline long set_mark(struct bpf_sock_addr *ctx) {
  __u32 mark = 100;

  return bpf_setsockopt(ctx, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

static __always_inline long bind_source(struct bpf_sock_addr *ctx, __u16 port) {
  struct sockaddr_in source = {.sin_family = AF_INET, .sin_port = bpf_htons(port)};

  source.sin_addr.s_addr = bpf_htonl(0x7f000002);
  return bpf_bind(ctx, (struct sockaddr *)&source, sizeof(source));
}

SEC("cgroup/connect4")
int nothing_connect(struct bpf_sock_addr *ctx) {
  (void)ctx;
  return 1;
}

SEC("cgroup/connect4")
int mark_connect(struct bpf_sock_addr *ctx) {
  return did(may_act() ? set_mark(ctx) : 1);
}

SEC("cgroup/connect4")
int source_connect(struct bpf_sock_addr *ctx) {
  return did(may_act() ? bind_source(ctx, 0) : 1);
}

SEC("cgroup/connect4")
int homed_connect(struct bpf_sock_addr *ctx) {
  return did(is_home(ctx) && may_act() ? bind_source(ctx, 0) : 1);
}

/* Asks for a port at random, whether the kernel has the 4-tuple, and claims it (ports.bpf.h). */
SEC("cgroup/connect4")
int ports_connect(struct bpf_sock_addr *ctx) {
  const __u16 port = (__u16)(20000 + bpf_get_prandom_u32() % 10000);
  struct claim claim = {.port = port, .peer_port = 443};
  const __u64 now = bpf_ktime_get_ns();
  struct bpf_sock_tuple tuple = {};
  struct bpf_sock *taken;
  int reuse = 0;

  if (!is_home(ctx) || !may_act()) return did(1);
  claim.source = bpf_htonl(0x7f000002);
  claim.peer = ctx->user_ip4;
  tuple.ipv4.saddr = claim.peer;
  tuple.ipv4.daddr = claim.source;
  tuple.ipv4.sport = bpf_htons(claim.peer_port);
  tuple.ipv4.dport = bpf_htons(port);
  bpf_getsockopt(ctx, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  reuse = 1;
  if (bpf_setsockopt(ctx, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse))) return did(1);
  taken = bpf_skc_lookup_tcp(ctx, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
  if (taken) bpf_sk_release(taken);
  bpf_map_update_elem(&least_claims, &claim, &now, BPF_NOEXIST);
  return did(bind_source(ctx, port));
}

SEC("cgroup/sendmsg4")
int nothing_sendmsg(struct bpf_sock_addr *ctx) {
  (void)ctx;
  return 1;
}

/* A mark comes too late for the datagram at hand, which takes the source that goes with it. */
SEC("cgroup/sendmsg4")
int mark_sendmsg(struct bpf_sock_addr *ctx) {
  ctx->msg_src_ip4 = bpf_htonl(0x7f000002);
  return did(is_home(ctx) && may_act() ? set_mark(ctx) : 1);
}

/* Whether the mark is the application's own is kept with the socket. */
SEC("cgroup/sendmsg4")
int marked_sendmsg(struct bpf_sock_addr *ctx) {
  struct bpf_sock *sk = ctx->sk;

  return did(!sk || bpf_sk_storage_get(&least_facts, sk, 0, 0));
}

SEC("cgroup/sendmsg4")
int source_sendmsg(struct bpf_sock_addr *ctx) {
  ctx->msg_src_ip4 = bpf_htonl(0x7f000002);
  return did(0);
}

SEC("cgroup/sendmsg4")
int homed_sendmsg(struct bpf_sock_addr *ctx) {
  ctx->msg_src_ip4 = bpf_htonl(0x7f000002);
  return did(!is_home(ctx));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
