/*
 * debug.h: a line on stderr for each decision that changed something, or could not, and one at the
 * end: with SRCSEL_DEBUG only. One write(), without stdio.
 */
#ifndef SRCSEL_PRELOAD_DEBUG_H
#define SRCSEL_PRELOAD_DEBUG_H

#include "environment.h"
#include "socket.h"

/* Counts the decision too. `error` is 0 or the -errno with which something could not be applied. */
void srcsel_say(const struct srcsel_environment *environment, const struct srcsel_socket *socket,
                const struct srcsel_decision *decision, long error);

/* That the environment has `name`, and its value is none. */
void srcsel_say_unread(const char *name, const char *value);

/* What was counted. */
void srcsel_say_counts(const struct srcsel_environment *environment);

#endif /* SRCSEL_PRELOAD_DEBUG_H */
