/*
 * raw.h: system calls without libc.
 *
 * What the preload does around a caller's call goes through here: errno is not touched, no call is
 * a cancellation point, all may be made in a signal handler, after fork() and before libc is ready.
 * Results are the kernel's: a value, or -errno.
 */
#ifndef SRCSEL_PRELOAD_RAW_H
#define SRCSEL_PRELOAD_RAW_H

#include <sys/syscall.h>

#if defined(__x86_64__)

static inline long srcsel_raw(long number, long a, long b, long c, long d, long e, long f) {
  register long fourth __asm__("r10") = d;
  register long fifth __asm__("r8") = e;
  register long sixth __asm__("r9") = f;
  long result;

  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth), "r"(sixth)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

static inline long srcsel_raw(long number, long a, long b, long c, long d, long e, long f) {
  register long what __asm__("x8") = number;
  register long first __asm__("x0") = a;
  register long second __asm__("x1") = b;
  register long third __asm__("x2") = c;
  register long fourth __asm__("x3") = d;
  register long fifth __asm__("x4") = e;
  register long sixth __asm__("x5") = f;

  __asm__ volatile("svc 0"
                   : "+r"(first)
                   : "r"(what), "r"(second), "r"(third), "r"(fourth), "r"(fifth), "r"(sixth)
                   : "memory");
  return first;
}

#else
#error "the preload makes its system calls itself: teach raw.h this architecture"
#endif

#define SRCSEL_RAW1(number, a) srcsel_raw(number, (long)(a), 0, 0, 0, 0, 0)
#define SRCSEL_RAW2(number, a, b) srcsel_raw(number, (long)(a), (long)(b), 0, 0, 0, 0)
#define SRCSEL_RAW3(number, a, b, c) srcsel_raw(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define SRCSEL_RAW4(number, a, b, c, d) \
  srcsel_raw(number, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define SRCSEL_RAW5(number, a, b, c, d, e) \
  srcsel_raw(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define SRCSEL_RAW6(number, a, b, c, d, e, f) \
  srcsel_raw(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* An option that is one int; `fallback` where the kernel has none, or not for this socket. */
static inline int srcsel_option(int fd, int level, int name, int fallback) {
  int value = fallback;
  unsigned size = sizeof(value);

  return SRCSEL_RAW5(SYS_getsockopt, fd, level, name, &value, &size) ? fallback : value;
}

static inline long srcsel_set_option(int fd, int level, int name, int value) {
  return SRCSEL_RAW5(SYS_setsockopt, fd, level, name, &value, sizeof(value));
}

#endif /* SRCSEL_PRELOAD_RAW_H */
