/*
 * memory.h: the caller's memory, looked at without trusting its pointers. Where the kernel would
 * answer EFAULT, the preload must not be the one that faults.
 *
 * Cost: one system call of 50 ns for what lies within a page, two for more.
 */
#ifndef SRCSEL_PRELOAD_MEMORY_H
#define SRCSEL_PRELOAD_MEMORY_H

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "raw.h"

/* epoll_ctl() copies its event before it looks at its descriptors, of which there are none here. */
static inline int srcsel_readable_at(uintptr_t at) {
  return SRCSEL_RAW4(SYS_epoll_ctl, -1, EPOLL_CTL_ADD, -1, at) != -EFAULT;
}

/* Whether `size` bytes, sizeof(struct epoll_event) at least and a page at most, can be read. */
static inline int srcsel_readable(const void *pointer, unsigned size) {
  const uintptr_t first = (uintptr_t)pointer;
  const uintptr_t last = first + size - sizeof(struct epoll_event);
  const uintptr_t page = 4096;

  if (!first || last < first) return 0;
  if (first / page == (first + size - 1) / page) return srcsel_readable_at(first);
  return srcsel_readable_at(first) && srcsel_readable_at(last);
}

/* Of a message's control data. To musl this is a number of 32 bits, followed by anything (1.2:
 * struct msghdr has __pad2 there, and struct cmsghdr the like). */
static inline size_t srcsel_control_size(const struct msghdr *message) {
  return message->msg_control ? (uint32_t)message->msg_controllen : 0;
}

#endif /* SRCSEL_PRELOAD_MEMORY_H */
