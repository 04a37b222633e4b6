#include "debug.h"

#include "counts.h"
#include "engine/key.h"
#include "raw.h"

struct line {
  unsigned size;
  char text[700]; /* room for all counts */
};

static void say(struct line *line, const char *text) {
  while (*text && line->size < sizeof(line->text)) line->text[line->size++] = *text++;
}

static void say_number(struct line *line, __u32 number, __u32 base) {
  char digits[12];
  unsigned at = sizeof(digits);

  digits[--at] = 0;
  do {
    digits[--at] = "0123456789abcdef"[number % base];
    number /= base;
  } while (number);
  say(line, digits + at);
}

/* IPv6 in full: eight groups. */
static void say_address(struct line *line, __u32 family, const __u8 *bytes) {
  const int count = family == SRCSEL_V4 ? 4 : 8;

  for (int i = 0; i < count; ++i) {
    if (i) say(line, family == SRCSEL_V4 ? "." : ":");
    if (family == SRCSEL_V4)
      say_number(line, bytes[i], 10);
    else
      say_number(line, (__u32)bytes[2 * i] << 8 | bytes[2 * i + 1], 16);
  }
}

static const char *reason_text(__u32 reason) {
#define SRCSEL_REASON_TEXT(name, text) text,
  static const char texts[][16] = {SRCSEL_REASONS(SRCSEL_REASON_TEXT)};
#undef SRCSEL_REASON_TEXT
  return reason < SRCSEL_WHY_COUNT ? texts[reason] : "?";
}

void srcsel_say(const struct srcsel_environment *environment, const struct srcsel_socket *socket,
                const struct srcsel_decision *decision, long error) {
  const struct srcsel_flow *flow = &socket->flow;
  __u8 to[16] __attribute__((aligned(8)));
  struct line line;

  srcsel_count(decision->reason);
  if (!environment->debug || (!decision->apply && !error)) return;
  line.size = 0;
  srcsel_write_address(to, &flow->dst);
  say(&line, "srcsel: ");
  say_address(&line, flow->family, to);
  say(&line, " port ");
  say_number(&line, flow->dport, 10);
  say(&line, ": ");
  say(&line, reason_text(decision->reason));
  if (decision->apply & SRCSEL_APPLY_MARK) {
    say(&line, ", mark 0x");
    say_number(&line, decision->mark, 16);
  }
  if (decision->apply & (SRCSEL_APPLY_SOURCE | SRCSEL_APPLY_PORTS)) {
    say(&line, ", source ");
    say_address(&line, flow->family, decision->source);
  }
  if (error) {
    say(&line, ", errno ");
    say_number(&line, (__u32)-error, 10);
  }
  say(&line, "\n");
  SRCSEL_RAW3(SYS_write, 2, line.text, line.size);
}

void srcsel_say_unread(const char *name, const char *value) {
  struct line line;
  unsigned i;

  line.size = 0;
  say(&line, "srcsel: left out, for it cannot be read: ");
  say(&line, name);
  say(&line, "=");
  for (i = 0; value[i] && i < 200; ++i) line.text[line.size++] = value[i];
  say(&line, "\n");
  SRCSEL_RAW3(SYS_write, 2, line.text, line.size);
}

void srcsel_say_counts(const struct srcsel_environment *environment) {
  const __u64 *counts = srcsel_counts();
  struct line line;
  int any = 0;

  if (!environment->debug) return;
  line.size = 0;
  say(&line, "srcsel: in all");
  for (__u32 i = 0; i < SRCSEL_WHY_COUNT; ++i) {
    const __u64 count = __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
    if (!count) continue;
    say(&line, any++ ? ", " : ": ");
    say_number(&line, (__u32)count, 10);
    say(&line, " ");
    say(&line, reason_text(i));
  }
  say(&line, "\n");
  if (any) SRCSEL_RAW3(SYS_write, 2, line.text, line.size);
}
