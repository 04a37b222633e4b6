/*
 * decide.h: the decision for a socket about to open a flow, by the engine over whatever image is in
 * force.
 *
 * Where that image has no routes (the environment's words, `srcsel check --compile`) or cannot be
 * trusted to have today's, the steps of the engine are the same, and the kernel is asked in the
 * place of the tables.
 *
 * Cost: 0.2 us; asking the kernel, 3 us.
 */
#ifndef SRCSEL_PRELOAD_DECIDE_H
#define SRCSEL_PRELOAD_DECIDE_H

#include "environment.h"
#include "socket.h"

/* Completes the socket's flow by what the policy asks of the caller. */
void srcsel_decide_socket(const struct srcsel_environment *environment,
                          struct srcsel_socket *socket, struct srcsel_decision *decision);

#endif /* SRCSEL_PRELOAD_DECIDE_H */
