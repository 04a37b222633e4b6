#include "environment.h"

#include <stddef.h>
#include <sys/auxv.h>

#include "debug.h"
#include "words.h"

#define PUBLISHED "/run/srcsel/image"

extern char *getenv(const char *name) __attribute__((weak));
extern unsigned long weak_getauxval(unsigned long type) __asm__("getauxval") __attribute__((weak));

/* An image of the environment's own: a header and one rule, for everything. */
static struct {
  struct srcsel_header head;
  union {
    struct srcsel_policy policy;
    __u8 page[SRCSEL_PAGE];
  };
  union {
    struct srcsel_own_mark mark;
    __u8 own_page[SRCSEL_PAGE];
  };
} words __attribute__((aligned(8)));

static struct srcsel_environment environment;

enum progress { UNREAD, READING, READ };
static int progress;

/* NULL also if it is empty: that is how scripts unset what others would pass on. */
static const char *word(const char *name) {
  const char *value = getenv(name);
  return value && *value ? value : NULL;
}

static int is_on(const char *name) {
  const char *value = word(name);
  return value && !(value[0] == '0' && !value[1]);
}

/* The end of the item at `text`; another one follows unless that is 0. */
static const char *item_end(const char *text) {
  while (*text && *text != ',') ++text;
  return text;
}

static int copy_text(char *to, size_t room, const char *text) {
  size_t size = 0;

  while (text[size]) ++size;
  if (size >= room) return 0;
  __builtin_memcpy(to, text, size + 1);
  return 1;
}

static void leave_out(const char *name) {
  if (environment.debug) srcsel_say_unread(name, word(name));
}

static void take_mark(const char *name) {
  struct srcsel_policy *policy = &words.policy;
  const char *text = word(name);

  if (!text) return;
  if (!srcsel_read_mark(text, &policy->mark, &policy->mark_mask)) {
    leave_out(name);
    return;
  }
  policy->action |= SRCSEL_DO_MARK;
  words.mark.mark = policy->mark;
  words.mark.mark_mask = policy->mark_mask;
  words.head.own_marks.count = policy->mark != 0;
}

static void take_sources(const char *name) {
  struct srcsel_policy *policy = &words.policy;
  __u8 address[16];
  const char *text = word(name), *end;
  int family;

  for (; text; text = *end ? end + 1 : NULL) {
    end = item_end(text);
    family = srcsel_read_address(text, end, address);
    if (family < 0) leave_out(name);
    if (family < 0 || policy->has_source[family]) continue;
    __builtin_memcpy(policy->source[family], address, sizeof(address));
    policy->has_source[family] = 1;
    policy->action |= SRCSEL_DO_SOURCE;
  }
}

static void take_ports(const char *name) {
  struct srcsel_policy *policy = &words.policy;
  const char *text = word(name);

  if (!text) return;
  if (srcsel_read_ports(text, &policy->port_first, &policy->port_last))
    policy->action |= SRCSEL_DO_PORTS;
  else
    leave_out(name);
}

static void take_device(const char *text) {
  if (text && copy_text(environment.device, sizeof(environment.device), text)) return;
  environment.device[0] = 0;
}

static void take_excludes(const char *text) {
  const char *end;

  for (; text && environment.excludes < SRCSEL_EXCLUDES; text = *end ? end + 1 : NULL) {
    end = item_end(text);
    environment.excludes +=
        srcsel_read_exclude(text, end, &environment.exclude[environment.excludes].address,
                            &environment.exclude[environment.excludes].mask);
  }
}

static void take_others_words(void) {
  take_mark("FWMARK");
  take_sources("SRCIP");
  take_sources("BIND_SOURCE_IP");
  take_sources("BIND_ADDR");
  take_device(word("DEVICE"));
  if (!environment.device[0]) take_device(word("BIND_INTERFACE"));
  take_excludes(word("BIND_EXCLUDE"));
}

static void follow(const char *path, int lasting) {
  if (!copy_text(environment.path, sizeof(environment.path), path)) return;
  environment.lasting = lasting;
  environment.told = SRCSEL_TOLD_IMAGE;
}

/* The words as an image that has rules of a policy and nothing of the host's state: what routes
 * decide is asked of the kernel. */
static void finish_words(void) {
  struct srcsel_header *head = &words.head;

  if (!words.policy.action && !environment.device[0]) return;
  head->magic = SRCSEL_ABI_MAGIC;
  head->version = SRCSEL_ABI_VERSION;
  head->pages = sizeof(words) / SRCSEL_PAGE;
  head->generation = 1;
  head->policy.page = 1;
  head->policy.count = 1;
  head->near[0] = words.policy;
  head->own_marks.page = 2;
  head->local[SRCSEL_V4] = head->local[SRCSEL_V6] = SRCSEL_NONE;
  environment.words.base = (const __u8 *)&words;
  environment.words.pages = head->pages;
  environment.told = SRCSEL_TOLD_WORDS;
}

static void read_environment(void) {
  const char *image;
  int is_told;

  if (!getenv || !weak_getauxval || weak_getauxval(AT_SECURE)) return;
  image = word("SRCSEL_IMAGE");
  is_told = word("SRCSEL_MARK") || word("SRCSEL_SOURCE") || word("SRCSEL_PORTS");
  environment.reply_source = is_on("SRCSEL_REPLY_SOURCE");
  environment.debug = is_on("SRCSEL_DEBUG");
  if (image) {
    follow(image, 1);
    return;
  }
  take_mark("SRCSEL_MARK");
  take_sources("SRCSEL_SOURCE");
  take_ports("SRCSEL_PORTS");
  if (!is_told) take_others_words();
  finish_words();
  if (environment.told == SRCSEL_TOLD_NOTHING && !is_told) follow(PUBLISHED, 0);
}

const struct srcsel_environment *srcsel_environment(void) {
  int unread = UNREAD;

  if (__atomic_load_n(&progress, __ATOMIC_ACQUIRE) != READ) {
    if (!__atomic_compare_exchange_n(&progress, &unread, READING, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
      return NULL;
    read_environment();
    __atomic_store_n(&progress, READ, __ATOMIC_RELEASE);
  }
  if (environment.told == SRCSEL_TOLD_NOTHING && !environment.reply_source) return NULL;
  return &environment;
}
