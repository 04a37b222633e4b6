#define SRCSEL_COUNTS_TURNS
#include "engine/decide.h"

#include <sys/prctl.h>
#include <sys/random.h>

#include "ask_kernel.h"
#include "decide.h"
#include "image.h"
#include "raw.h"

#define ROUNDS 8

/* One after the other from a random number on, so that processes that live for one connection have
 * their turns too. */
static __u32 draw_number(void) {
  static __u32 next; /* 0: not begun */
  __u32 number;

  if (!__atomic_load_n(&next, __ATOMIC_RELAXED)) {
    if (SRCSEL_RAW3(SYS_getrandom, &number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
      number = (__u32)SRCSEL_RAW1(SYS_gettid, 0) * 2654435761u;
    __atomic_store_n(&next, number | 1, __ATOMIC_RELAXED);
  }
  return __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
}

SRCSEL_INLINE __u32 srcsel_turn(const struct srcsel_flow *flow, __u32 policy) {
  (void)flow;
  (void)policy;
  return draw_number();
}

static __u32 scramble(__u32 number) {
  number = (number ^ number >> 16) * 0x85ebca6bu;
  number = (number ^ number >> 13) * 0xc2b2ae35u;
  return number ^ number >> 16;
}

static void gather_caller(const struct srcsel_header *head, struct srcsel_socket *socket) {
  struct srcsel_flow *flow = &socket->flow;

  if (head->inputs & SRCSEL_IN_UID) flow->uid = (__u32)SRCSEL_RAW1(SYS_geteuid, 0);
  if (head->inputs & SRCSEL_IN_GID) flow->gid = (__u32)SRCSEL_RAW1(SYS_getegid, 0);
  if (head->inputs & SRCSEL_IN_COMM) SRCSEL_RAW2(SYS_prctl, PR_GET_NAME, flow->comm);
  if (head->inputs & SRCSEL_IN_CHANCE) flow->chance = scramble(draw_number());
  /* Setting the mark that is there changes nothing, but takes the privilege to set another. */
  socket->may_mark =
      head->own_marks.count && !srcsel_set_option(socket->fd, SOL_SOCKET, SO_MARK, (int)flow->mark);
  if (!socket->may_mark) flow->facts |= SRCSEL_FACT_UNMARKABLE;
}

/* The reason not to touch what leads there; SRCSEL_WHY_COUNT if there is none. */
static __u32 exempt_by_route(const struct srcsel_kernel_route *route) {
  if (route->error > 0) return SRCSEL_WHY_AMBIGUOUS;
  if (route->type == RTN_LOCAL || route->type == RTN_ANYCAST) return SRCSEL_WHY_LOCAL;
  if (route->type == RTN_BROADCAST) return SRCSEL_WHY_BROADCAST;
  if (route->type == RTN_MULTICAST) return SRCSEL_WHY_MULTICAST;
  return SRCSEL_WHY_COUNT;
}

static void answer_for_tables(const struct srcsel_kernel_route *route,
                              struct srcsel_decision *decision) {
  decision->table = route->table;
  decision->oif = route->oif;
  __builtin_memcpy(decision->source, route->source, sizeof(decision->source));
  if (route->error)
    decision->reason = SRCSEL_WHY_NO_ROUTE;
  else if (!route->has_source)
    decision->reason = SRCSEL_WHY_NO_SOURCE;
}

/* From the rule found on. */
static void follow_by_kernel(srcsel_image image, const struct srcsel_header *head,
                             const struct srcsel_policy *policy, struct srcsel_socket *socket,
                             struct srcsel_decision *decision) {
  struct srcsel_flow *flow = &socket->flow;
  struct srcsel_kernel_route route;
  __u32 mark = flow->mark;

  decision->reason = srcsel_unless_local(image, head, policy, flow);
  if (decision->reason != SRCSEL_WHY_COUNT) return;
  if (policy->action & (SRCSEL_DO_MARK | SRCSEL_DO_TABLES))
    mark = (mark & ~policy->mark_mask) | policy->mark;
  srcsel_ask_kernel(socket->fd, flow, mark, &route);
  decision->reason = exempt_by_route(&route);
  if (decision->reason != SRCSEL_WHY_COUNT) return;
  /* The kernel has answered for the socket's own namespace. */
  if (!(policy->action & (SRCSEL_HOME_ONLY | SRCSEL_HOME_MARK))) flow->netns = head->netns;
  srcsel_follow_rule(image, head, policy, flow, decision);
  if (decision->reason == SRCSEL_WHY_TABLE) answer_for_tables(&route, decision);
  srcsel_conclude(policy, flow, decision);
}

/* srcsel_decide() with the kernel in the place of the tables. */
static void decide_by_kernel(srcsel_image image, const struct srcsel_header *head,
                             struct srcsel_socket *socket, struct srcsel_decision *decision) {
  const struct srcsel_policy *policy = srcsel_choose_rule(image, head, &socket->flow, decision);

  if (policy) follow_by_kernel(image, head, policy, socket, decision);
  srcsel_take_back(image, head, &socket->flow, decision);
}

static void decide_on(const struct srcsel_memory *memory, int cut_off, struct srcsel_socket *socket,
                      struct srcsel_decision *decision) {
  const struct srcsel_header *head = srcsel_open(memory);
  int by_kernel;

  srcsel_undecided(head, decision);
  if (!head) return;
  gather_caller(head, socket);
  by_kernel = cut_off || !head->rules[socket->flow.family & 1].count;
  /* A datagram may say another one in its control data. */
  if (socket->flow.operation == SRCSEL_CONNECT && (by_kernel || head->inputs & SRCSEL_IN_DSCP))
    srcsel_read_tos(socket);
  if (by_kernel)
    decide_by_kernel(memory, head, socket, decision);
  else
    srcsel_decide(memory, head, &socket->flow, decision);
}

void srcsel_decide_socket(const struct srcsel_environment *environment,
                          struct srcsel_socket *socket, struct srcsel_decision *decision) {
  const struct srcsel_flow asked = socket->flow;
  struct srcsel_view view;

  srcsel_undecided(0, decision);
  if (environment->told == SRCSEL_TOLD_WORDS) {
    decide_on(&environment->words, 0, socket, decision);
    return;
  }
  for (int i = 0; i < ROUNDS; ++i) {
    if (!srcsel_see_image(environment->path, environment->lasting, &view)) return;
    socket->flow = asked;
    decide_on(&view.memory, view.cut_off, socket, decision);
    if (srcsel_still_seen(&view)) return;
  }
  srcsel_undecided(0, decision);
}
