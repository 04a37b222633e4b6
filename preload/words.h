/*
 * words.h: marks, addresses and ports as they are written. All return whether the whole text is
 * one; the result is written only then.
 */
#ifndef SRCSEL_PRELOAD_WORDS_H
#define SRCSEL_PRELOAD_WORDS_H

#include <linux/types.h>

/* Reads a number up to the first character that is none, decimal or 0x; NULL if there is none, or
 * one above `most`. */
const char *srcsel_read_number(const char *text, __u32 most, __u32 *number);

int srcsel_read_mark(const char *text, __u32 *mark, __u32 *mask);
int srcsel_read_ports(const char *text, __u16 *first, __u16 *last);

/* `text` up to `end`, as a wire address; the family's index (SRCSEL_V4, SRCSEL_V6), or -1. */
int srcsel_read_address(const char *text, const char *end, __u8 *address);

/* "10.1.", "10.1.2.3", "10.0.0.0/8": as BindToInterface reads them, and prefixes. */
int srcsel_read_exclude(const char *text, const char *end, __u32 *address, __u32 *mask);

#endif /* SRCSEL_PRELOAD_WORDS_H */
