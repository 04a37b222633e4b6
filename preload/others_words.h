/*
 * others_words.h: what DEVICE, BIND_INTERFACE and BIND_EXCLUDE ask for, which no rule of a policy
 * can say.
 */
#ifndef SRCSEL_PRELOAD_OTHERS_WORDS_H
#define SRCSEL_PRELOAD_OTHERS_WORDS_H

#include "environment.h"
#include "socket.h"

/* Whether the destination is one that BIND_EXCLUDE leaves alone. */
int srcsel_is_excluded(const struct srcsel_environment *environment,
                       const struct srcsel_flow *flow);

/* Binds the socket to the device, if there is one and the decision is to go by the words. A device
 * that is not there, or may not be bound to, is as good as none. */
void srcsel_bind_device(const struct srcsel_environment *environment,
                        const struct srcsel_socket *socket, const struct srcsel_decision *decision);

#endif /* SRCSEL_PRELOAD_OTHERS_WORDS_H */
