/* What is known of libc: nothing that it could lack. All references are weak and without a version,
 * so that one library fits glibc and musl, of any age. */
#include <dlfcn.h>

#include "calls.h"

extern int *__errno_location(void) __attribute__((weak));
extern void *weak_dlsym(void *handle, const char *name) __asm__("dlsym") __attribute__((weak));

int *srcsel_errno(void) {
  static int none;

  return __errno_location ? __errno_location() : &none;
}

static long finish(long result) {
  if (result >= 0 || result < -4095) return result;
  *srcsel_errno() = (int)-result;
  return -1;
}

#define SRCSEL_DEFINE_RAW(result, name, parameters, arguments, raw) \
  static __attribute__((unused)) result raw_##name parameters {     \
    return (result)finish(raw);                                     \
  }
SRCSEL_CALLS(SRCSEL_DEFINE_RAW)

#define SRCSEL_START_RAW(result, name, parameters, arguments, raw) .name = raw_##name,
struct srcsel_libc srcsel_libc = {SRCSEL_CALLS(SRCSEL_START_RAW)};

#define SRCSEL_FIND(result, name, parameters, arguments, raw) \
  found = weak_dlsym(RTLD_NEXT, #name);                       \
  if (found) __atomic_store_n((void **)&srcsel_libc.name, found, __ATOMIC_RELAXED);
void srcsel_find_libc(void) {
  void *found;

  if (!weak_dlsym) return;
  SRCSEL_CALLS(SRCSEL_FIND)
}
