#include "words.h"

#include <srcsel/abi.h>

static int digit(char c, __u32 base) {
  if (c >= '0' && c <= '9') return c - '0';
  if (base == 16 && c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (base == 16 && c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static const char *read_digits(const char *text, __u32 base, __u32 most, __u32 *number) {
  __u64 value = 0;

  if (digit(*text, base) < 0) return 0;
  for (; digit(*text, base) >= 0; ++text) {
    value = value * base + (__u32)digit(*text, base);
    if (value > most) return 0;
  }
  *number = (__u32)value;
  return text;
}

const char *srcsel_read_number(const char *text, __u32 most, __u32 *number) {
  const int hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

  return read_digits(hex ? text + 2 : text, hex ? 16 : 10, most, number);
}

int srcsel_read_mark(const char *text, __u32 *mark, __u32 *mask) {
  __u32 value, under = ~0u;

  text = srcsel_read_number(text, ~0u, &value);
  if (text && *text == '/') text = srcsel_read_number(text + 1, ~0u, &under);
  if (!text || *text || value & ~under) return 0;
  *mark = value;
  *mask = under;
  return 1;
}

int srcsel_read_ports(const char *text, __u16 *first, __u16 *last) {
  __u32 low, high;

  text = read_digits(text, 10, 0xffff, &low);
  high = low;
  if (text && *text == '-') text = read_digits(text + 1, 10, 0xffff, &high);
  if (!text || *text || !low || low > high) return 0;
  *first = (__u16)low;
  *last = (__u16)high;
  return 1;
}

/* The last octet before `end`, or where the dots stop. */
static const char *read_octets(const char *text, const char *end, __u8 *octets, int *count) {
  __u32 octet;

  for (*count = 0; *count < 4 && text < end; ++*count) {
    text = read_digits(text, 10, 255, &octet);
    if (!text) return 0;
    octets[*count] = (__u8)octet;
    if (text == end || *text != '.') {
      ++*count;
      return text;
    }
    ++text;
  }
  return text;
}

static int read_v4(const char *text, const char *end, __u8 *address) {
  int count;

  return end > text && end[-1] != '.' && read_octets(text, end, address, &count) == end &&
         count == 4;
}

/* Groups of 16 bits; `gap` is where "::" was. */
static int read_v6(const char *text, const char *end, __u8 *address) {
  int filled = 0, gap = -1;
  __u32 group;

  if (end - text >= 2 && text[0] == ':' && text[1] == ':') {
    gap = 0;
    text += 2;
  }
  while (text < end) {
    const char *next = read_digits(text, 16, 0xffff, &group);
    if (!next) return 0;
    if (next < end && *next == '.') {
      if (filled > 12 || !read_v4(text, end, address + filled)) return 0;
      filled += 4;
      break;
    }
    if (filled > 14) return 0;
    address[filled++] = (__u8)(group >> 8);
    address[filled++] = (__u8)group;
    text = next;
    if (text == end) break;
    if (*text++ != ':' || text == end) return 0;
    if (*text != ':') continue;
    if (gap >= 0) return 0;
    gap = filled;
    ++text;
  }
  if (gap < 0) return filled == 16;
  if (filled == 16) return 0;
  for (int i = 1; i <= filled - gap; ++i) {
    address[16 - i] = address[filled - i];
    address[filled - i] = 0;
  }
  return 1;
}

int srcsel_read_address(const char *text, const char *end, __u8 *address) {
  __u8 read[16] = {0};
  int family;

  if (read_v4(text, end, read)) {
    family = SRCSEL_V4;
  } else {
    __builtin_memset(read, 0, sizeof(read));
    if (!read_v6(text, end, read)) return -1;
    family = SRCSEL_V6;
  }
  __builtin_memcpy(address, read, sizeof(read));
  return family;
}

int srcsel_read_exclude(const char *text, const char *end, __u32 *address, __u32 *mask) {
  __u8 octets[4] = {0};
  __u32 bits;
  int count;

  text = read_octets(text, end, octets, &count);
  if (!text || !count) return 0;
  bits = (__u32)count * 8;
  if (text < end && *text == '/') text = read_digits(text + 1, 10, 32, &bits);
  if (text != end) return 0;
  *mask = bits ? ~0u << (32 - bits) : 0;
  *address =
      ((__u32)octets[0] << 24 | (__u32)octets[1] << 16 | (__u32)octets[2] << 8 | (__u32)octets[3]) &
      *mask;
  return 1;
}
