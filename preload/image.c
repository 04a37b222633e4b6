#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "raw.h"

#define RELAXED __ATOMIC_RELAXED
#define ROUNDS 8     /* exchanges that one decision may be overtaken by */
#define TENTHS 10ull /* of a second, between two looks at the name */

struct place {
  __u8 *base;
  __u64 room;  /* bytes reserved */
  __u32 pages; /* of the image; 0: the file is none that may be used */
};

/* Which file, and which of its contents, is in force. */
struct stamp {
  __u64 device, inode, size, seconds, nanoseconds;
};

static struct {
  __u32 sequence; /* place[sequence & 1] holds; 0: nothing has ever been mapped */
  __u32 exchanging;
  struct place place[2];
  struct stamp stamp;
  __u64 looked; /* when the name was last found to lead to the image in force; 0: it was not */
} images;

static struct stamp stamp_of(const struct stat *file) {
  return (struct stamp){file->st_dev, file->st_ino, (__u64)file->st_size,
                        (__u64)file->st_mtim.tv_sec, (__u64)file->st_mtim.tv_nsec};
}

static int is_in_force(const struct stat *file) {
  const struct stamp now = stamp_of(file), *held = &images.stamp;
  const __u64 differs = (now.device ^ __atomic_load_n(&held->device, RELAXED)) |
                        (now.inode ^ __atomic_load_n(&held->inode, RELAXED)) |
                        (now.size ^ __atomic_load_n(&held->size, RELAXED)) |
                        (now.seconds ^ __atomic_load_n(&held->seconds, RELAXED)) |
                        (now.nanoseconds ^ __atomic_load_n(&held->nanoseconds, RELAXED));

  return !differs;
}

static void set_stamp(const struct stat *file) {
  const struct stamp now = stamp_of(file);

  __atomic_store_n(&images.stamp.device, now.device, RELAXED);
  __atomic_store_n(&images.stamp.inode, now.inode, RELAXED);
  __atomic_store_n(&images.stamp.size, now.size, RELAXED);
  __atomic_store_n(&images.stamp.seconds, now.seconds, RELAXED);
  __atomic_store_n(&images.stamp.nanoseconds, now.nanoseconds, RELAXED);
}

static int may_be_used(const struct stat *file) {
  if (!S_ISREG(file->st_mode) || file->st_mode & (S_IWGRP | S_IWOTH)) return 0;
  if (file->st_size < SRCSEL_PAGE || file->st_size % SRCSEL_PAGE) return 0;
  return file->st_uid == 0 || file->st_uid == (__u32)SRCSEL_RAW1(SYS_geteuid, 0);
}

static void *map(void *at, __u64 size, int flags, int fd) {
  const long result =
      SRCSEL_RAW6(SYS_mmap, at, size, PROT_READ, flags | (at ? MAP_FIXED : 0), fd, 0);

  return result < 0 && result > -4096 ? NULL : (void *)result;
}

static void *zeros(void *at, __u64 size) {
  return map(at, size, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

/* Makes room for `size` bytes, all zero. */
static int clear_place(struct place *place, __u64 size) {
  __u64 room = place->room ? place->room : SRCSEL_PAGE;
  __u8 *base;

  if (place->base && !zeros(place->base, place->room)) return 0;
  if (size <= place->room) return 1;
  while (room < size) room *= 2;
  base = zeros(NULL, room);
  if (!base) return 0;
  __atomic_store_n(&place->base, base, RELAXED);
  place->room = room;
  return 1;
}

/* The pages of the file, mapped; 0 if it cannot be used. */
static __u32 fill_place(struct place *place, int fd, struct stat *file) {
  const struct srcsel_header *head;
  struct srcsel_memory memory;

  if (SRCSEL_RAW2(SYS_fstat, fd, file)) return 0;
  if (!may_be_used(file) || !clear_place(place, (__u64)file->st_size)) return 0;
  if (!map(place->base, (__u64)file->st_size, MAP_SHARED, fd)) return 0;
  memory.base = place->base;
  memory.pages = (__u32)(file->st_size / SRCSEL_PAGE);
  memory.shortcuts = NULL;
  head = srcsel_open(&memory);
  return head && head->pages == memory.pages ? memory.pages : 0;
}

static void exchange(const char *path, struct stat file) {
  const __u32 next = __atomic_load_n(&images.sequence, __ATOMIC_ACQUIRE) + 1;
  struct place *place = &images.place[next & 1];
  const long fd =
      SRCSEL_RAW4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);

  if (fd < 0) return;
  /* What is written from here on must not be seen before the number that is there now. */
  __atomic_thread_fence(__ATOMIC_RELEASE);
  __atomic_store_n(&place->pages, fill_place(place, (int)fd, &file), RELAXED);
  SRCSEL_RAW1(SYS_close, fd);
  set_stamp(&file);
  __atomic_store_n(&images.sequence, next ? next : 2, __ATOMIC_RELEASE);
}

/* Lets one thread at a time exchange the image; one that is gone holds nobody up. */
static void exchange_alone(const char *path, const struct stat *file) {
  const __u32 self = (__u32)SRCSEL_RAW1(SYS_gettid, 0);
  __u32 other = 0;

  if (!__atomic_compare_exchange_n(&images.exchanging, &other, self, 0, __ATOMIC_ACQUIRE,
                                   RELAXED)) {
    if (SRCSEL_RAW3(SYS_tgkill, SRCSEL_RAW1(SYS_getpid, 0), other, 0) != -ESRCH) return;
    if (!__atomic_compare_exchange_n(&images.exchanging, &other, self, 0, __ATOMIC_ACQUIRE,
                                     RELAXED))
      return;
  }
  if (!is_in_force(file)) exchange(path, *file);
  __atomic_store_n(&images.exchanging, 0, __ATOMIC_RELEASE);
}

static __u64 tenths_now(void) {
  struct timespec time = {0};

  SRCSEL_RAW2(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &time);
  return (__u64)time.tv_sec * TENTHS + (__u64)time.tv_nsec / (1000000000ull / TENTHS) + 1;
}

static int view_place(struct srcsel_view *view) {
  const struct place *place;

  view->sequence = __atomic_load_n(&images.sequence, __ATOMIC_ACQUIRE);
  place = &images.place[view->sequence & 1];
  view->memory.base = __atomic_load_n(&place->base, RELAXED);
  view->memory.pages = __atomic_load_n(&place->pages, RELAXED);
  view->memory.shortcuts = NULL;
  return view->sequence != 0 && view->memory.pages != 0 && srcsel_still_seen(view);
}

static int view_any(struct srcsel_view *view) {
  for (int i = 0; i < ROUNDS; ++i)
    if (view_place(view)) return 1;
  return 0;
}

static int is_superseded(const struct srcsel_view *view) {
  const struct srcsel_header *head = (const struct srcsel_header *)(const void *)view->memory.base;

  return __atomic_load_n(&head->superseded, RELAXED) != 0;
}

int srcsel_see_image(const char *path, int lasting, struct srcsel_view *view) {
  const __u64 now = tenths_now();
  struct stat file;
  long missing;

  view->cut_off = 0;
  if (__atomic_load_n(&images.looked, RELAXED) == now && view_any(view) && !is_superseded(view))
    return 1;
  missing = SRCSEL_RAW4(SYS_newfstatat, AT_FDCWD, path, &file, 0);
  if (missing && !lasting) return 0;
  if (!missing && !is_in_force(&file)) exchange_alone(path, &file);
  view->cut_off = missing || !is_in_force(&file);
  __atomic_store_n(&images.looked, view->cut_off ? 0 : now, RELAXED);
  return view_any(view);
}

int srcsel_still_seen(const struct srcsel_view *view) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return __atomic_load_n(&images.sequence, RELAXED) == view->sequence;
}
