/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * abi.h: the contract between everything that decides and everything that builds what is decided
 * on.
 *
 * WHAT
 *   Three things live here and nowhere else: the *image* (rules, tables, routes and policy of one
 *   network namespace, compiled), the *flow* and its *decision* (question and answer of the
 *   engine), and the *event* (a decision as a reader sees it). The BPF programs, the library and
 *   the preload all include this file and read the same bytes.
 *
 * LAYOUT OF THE IMAGE
 *   An image is a sequence of pages of SRCSEL_PAGE bytes. Page 0 is struct srcsel_header. Every
 *   array of the image starts on a page boundary and is named by a struct srcsel_section. Objects
 *   have power-of-two sizes, so none straddles two pages: object i of an array of objects of S
 *   bytes is in page `page + i*S / SRCSEL_PAGE` at offset `i*S % SRCSEL_PAGE`. Nothing in an image
 *   is a pointer; it may be mapped anywhere, copied, or written to a file of the same byte order.
 *
 * BYTE ORDER AND UNITS
 *   Integers are in host order unless said otherwise. Addresses come in two forms. A *key* (struct
 *   srcsel_key) is what comparisons use: 128 bits as two host-order words, most significant first;
 *   an IPv4 address occupies the top 32 bits of `hi` and leaves the rest 0. A *wire address*
 *   (__u8[16]) is what goes into a sockaddr: network order, IPv4 in the first four bytes. Ports are
 *   host order. Prefix lengths are in bits of the family (0-32, 0-128).
 *
 * VERSIONS
 *   A reader that finds another magic or version must not decide: its reason is "no-image".
 *   SRCSEL_ABI_VERSION changes with every change of layout or meaning.
 */
#ifndef SRCSEL_ABI_H
#define SRCSEL_ABI_H

#include <linux/types.h>

#ifdef __cplusplus
#define SRCSEL_STATIC_ASSERT(expr, why) static_assert(expr, why)
#else
#define SRCSEL_STATIC_ASSERT(expr, why) _Static_assert(expr, why)
#endif

#define SRCSEL_ABI_MAGIC 0x4c535253u /* "SRSL" in little-endian memory */
#define SRCSEL_ABI_VERSION 10u
#define SRCSEL_PAGE 4096u
#define SRCSEL_NONE 0xffffffffu  /* "no such index" for every __u32 index in this file */
#define SRCSEL_COMM 16u          /* task->comm with its terminating zero */
#define SRCSEL_MAX_POLICY 1984u  /* policy rules in one image: 31 words of a vector */
#define SRCSEL_MAX_RULES 8192u   /* ip rules per family in one image */
#define SRCSEL_MAX_ROUTES 65535u /* distinct routes in one image: a trie leaf is 16 bits */
#define SRCSEL_MAX_CHAIN 1024u   /* routes looked at in one table, from the leaf on */

/* Families as the engine counts them; also the index into every [SRCSEL_FAMILIES] array. */
enum srcsel_family { SRCSEL_V4 = 0, SRCSEL_V6 = 1, SRCSEL_FAMILIES = 2 };

/* ---- the image ------------------------------------------------------------------------------ */

struct srcsel_key {
  __u64 hi, lo;
};

/* A prefix as stored for matching: (address XOR value) AND mask == 0. mask 0 matches everything. */
struct srcsel_match {
  struct srcsel_key value, mask;
};

/* Where the descent into a trie begins (struct srcsel_table). */
struct srcsel_trie {
  __u32 root; /* slot, used when fan is SRCSEL_NONE */
  __u32 fan;  /* index of the first of its slots in `fans`, or SRCSEL_NONE */
};

/* An array of the image: its first page and how many objects it holds. */
struct srcsel_section {
  __u32 page, count;
};

/*
 * Inputs of a decision that not every caller can know. An ip rule lists those it consults; a flow
 * lists those its caller could not supply. An ip rule whose other selectors match while one of its
 * inputs is unknown makes the decision ambiguous: it is never guessed. Policy rules take uid,
 * gid, cgroup, comm and classid as the caller has them; for them the list only says what a hook has
 * to gather. Of these, a caller may not know the classid (SRCSEL_CLASSED).
 */
enum srcsel_input {
  SRCSEL_IN_UID = 1u << 0,     /* owner of the socket; a hook sees only the caller's */
  SRCSEL_IN_CGROUP = 1u << 1,  /* cgroup v2 id */
  SRCSEL_IN_COMM = 1u << 2,    /* task->comm of the calling thread */
  SRCSEL_IN_SPORT = 1u << 3,   /* source port at the first lookup */
  SRCSEL_IN_DSCP = 1u << 4,    /* IP_TOS or IPV6_TCLASS */
  SRCSEL_IN_LABEL = 1u << 5,   /* IPv6 flow label */
  SRCSEL_IN_OPAQUE = 1u << 6,  /* something this version does not mirror: unknown to everybody */
  SRCSEL_IN_GID = 1u << 7,     /* group of the caller */
  SRCSEL_IN_CHANCE = 1u << 8,  /* a number for pools that choose at random or in turn */
  SRCSEL_IN_CLASSID = 1u << 9, /* class of the caller, by net_cls of cgroup v1 */
};

/*
 * What a policy rule asks for; without any DO, nothing: its flows are the kernel's. At most one of
 * SOURCE, TABLES and POOL; SOURCE and POOL may come with MARK. PORTS comes with any of them, or
 * alone: then the source is that of the tables.
 */
enum srcsel_action {
  SRCSEL_DO_MARK = 1u << 0,   /* set `mark` under `mark_mask`; the kernel then routes and chooses */
  SRCSEL_DO_SOURCE = 1u << 1, /* bind to `source[family]` */
  SRCSEL_DO_TABLES = 1u << 2, /* walk the ip rules as if the mark were set, bind to the route's
                                 source */
  SRCSEL_HOME_ONLY = 1u << 3, /* the source was read from an interface: it holds in the image's own
                                 namespace only */
  SRCSEL_DO_POOL = 1u << 4,   /* bind to one of the addresses of `pool[family]` */
  SRCSEL_DO_PORTS = 1u << 5,  /* bind to a port of port_first..port_last */
  SRCSEL_OR_REJECT = 1u << 6, /* what cannot be done fails the call, instead of leaving it alone */
  SRCSEL_AIMED = 1u << 7,     /* selects by destination or its port: not known at socket creation */
  SRCSEL_HOME_MARK = 1u << 8, /* the mark was found in ip rules: it is set in the image's own
                                 namespace only */
  SRCSEL_LED_MARK = 1u << 9,  /* the mark leads the source out by its uplink: it is set only where
                                 there is a source of the flow's family */
  SRCSEL_PLAIN_TOS = 1u << 10, /* holds for packets of dscp 0: flows of another are left alone */
  SRCSEL_CLASSED = 1u << 11,   /* selects by classid: holds for flows of an unknown one too, and
                                  leaves them alone */
  SRCSEL_MARKED_LATER =
      1u << 12, /* netfilter gives packets the mark: a datagram needs none before */
};

/* How a pool's address is chosen, modulo the number of slots. */
enum srcsel_pick {
  SRCSEL_PICK_HASH = 0, /* by the destination address */
  SRCSEL_PICK_CHANCE,   /* by srcsel_flow.chance */
  SRCSEL_PICK_TURN,     /* one after the other */
};

/*
 * An own mark: one that some rule of the policy sets. Found on a socket whose application has not
 * set a mark itself, it is left from an earlier decision.
 */
struct srcsel_own_mark {
  __u32 mark, mark_mask;
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_own_mark) == 8, "own marks are 8 bytes");

/*
 * How a flow finds its policy rule without asking one rule after the other. For every property that
 * some rule selects by there is a *dimension*: a trie over that property's values, whose leaf is
 * the number of a vector with one bit a rule, set where the rule accepts the value. The rule that
 * holds is the lowest bit set in the AND of all these vectors. A single dimension needs none: its
 * leaves are the number of the rule that holds, plus 1; 0 is none. Without any dimension the first
 * rule holds for everything.
 *
 * Keys are left aligned like those of addresses: proto in the top 8 bits, dport in 16, uid, gid and
 * mark in 32, cgroup in 64; comm as its two host-order words; of classid 33, the first of which is
 * set if it is unknown. Dimensions of a destination come last in a list: at socket creation only
 * those before them count.
 */
enum srcsel_property {
  SRCSEL_BY_PROTO,
  SRCSEL_BY_UID,
  SRCSEL_BY_GID,
  SRCSEL_BY_CLASSID,
  SRCSEL_BY_COMM,
  SRCSEL_BY_CGROUP, /* argument: which of srcsel_flow.cgroup */
  SRCSEL_BY_MARK,   /* argument: the mask; the key is the mark under it */
  SRCSEL_BY_DST,
  SRCSEL_BY_DPORT,
  SRCSEL_PROPERTIES
};

struct srcsel_dimension {
  __u32 property; /* enum srcsel_property */
  __u32 argument;
  struct srcsel_trie trie;
};

#define SRCSEL_MAX_DIMENSIONS 8u
#define SRCSEL_CGROUPS 4u /* levels of the cgroup tree that one policy can name */

/* The dimensions that flows of one family go through. */
struct srcsel_dimensions {
  __u32 count;
  __u32 early; /* how many of them come before those of the destination */
  struct srcsel_dimension list[SRCSEL_MAX_DIMENSIONS];
};

#define SRCSEL_VECTOR_WORDS (SRCSEL_MAX_POLICY / 64u)
struct srcsel_vector {
  __u64 word[SRCSEL_VECTOR_WORDS + 1]; /* rule i: bit i % 64 of word[i / 64]; bit w of the last
                                          word: word[w] is not 0 */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_vector) == 256, "vectors are 256 bytes");

/* What one rule of the policy does. Its selectors are in the dimensions. */
struct srcsel_policy {
  __u16 action;                     /* enum srcsel_action bits */
  __u8 has_source[SRCSEL_FAMILIES]; /* 0: no source of that family, the kernel chooses */
  __u32 mark, mark_mask;            /* mark has no bit outside mark_mask */
  __u32 id;                         /* number of the rule in the author's policy */
  __u8 source[SRCSEL_FAMILIES][16]; /* wire addresses */
  __u32 pool[SRCSEL_FAMILIES];      /* index of the first of its slots in `slots` */
  __u32 slots[SRCSEL_FAMILIES];     /* how many; 0: none of the pool's addresses is there */
  __u32 pick;                       /* enum srcsel_pick */
  __u16 port_first, port_last;      /* inclusive */
  __u8 zero[56];
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_policy) == 128, "policy rules are 128 bytes");

/* A place in a pool: members have as many as their weight says. All 0: the kernel chooses. */
struct srcsel_slot {
  __u8 source[16]; /* wire address */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_slot) == 16, "slots are 16 bytes");

/* Values of srcsel_rule.action: FR_ACT_* of linux/fib_rules.h. Any other value ends in EINVAL. */
enum srcsel_rule_action {
  SRCSEL_RULE_TABLE = 1,
  SRCSEL_RULE_GOTO = 2,
  SRCSEL_RULE_NOP = 3,
  SRCSEL_RULE_BLACKHOLE = 6,   /* EINVAL */
  SRCSEL_RULE_UNREACHABLE = 7, /* ENETUNREACH */
  SRCSEL_RULE_PROHIBIT = 8,    /* EACCES */
};

enum srcsel_rule_flag {
  SRCSEL_RULE_INVERT = 1u << 0,   /* `not` */
  SRCSEL_RULE_NEVER = 1u << 1,    /* has a selector no local flow can meet (iif other than lo, a
                                     name that no interface bears, tun_id); INVERT flips it too */
  SRCSEL_RULE_NEED_SRC = 1u << 2, /* IPv6 `from`: does not hold while the source is :: */
  SRCSEL_RULE_BOOT = 1u << 3,     /* of the IPv6 rules a namespace starts with, and deleted: holds
                                     until the first rule is added, which nobody can see */
  SRCSEL_RULE_NEED_OIF = 1u << 4, /* l3mdev: does not hold for a flow that is bound to no device */
};

/*
 * One ip rule (fib_rule_match(), fib4_rule_match(), fib6_rule_match() in the kernel). All selectors
 * must hold, then INVERT flips the result. Selectors are stored so that they can be evaluated by
 * arithmetic alone: a mask of 0, a range of everything, or an oif of 0 is a selector not set.
 */
struct srcsel_rule {
  struct srcsel_match to,
      from; /* `from` is compared with the key's source, 0 at the first lookup */
  __u32 mark, mark_mask;
  __u32 uid_first, uid_last;                              /* inclusive */
  __u16 sport_first, sport_last, dport_first, dport_last; /* inclusive */
  __u16 sport_mask, dport_mask; /* (port XOR first) AND mask == 0, besides the range */
  __u32 oif;                    /* interface index */
  __u32 label, label_mask;      /* IPv6 flow label, 20 bits */
  __u8 proto, proto_mask;       /* IPPROTO_* */
  __u8 dscp, dscp_mask;         /* six bits */
  __u8 flags;                   /* enum srcsel_rule_flag */
  __u8 action;                  /* enum srcsel_rule_action */
  __s16 suppress_plen;          /* discard results with prefix length <= this; -1: none */
  __u32 inputs;                 /* enum srcsel_input bits consulted */
  __u32 target;         /* TABLE: index into tables, or SRCSEL_NONE if it has no routes; GOTO: index
                           of a later rule, or SRCSEL_NONE if unresolved */
  __u32 suppress_group; /* discard results leaving by a link of this group; SRCSEL_NONE: none */
  __u32 pref;           /* preference, shown by decisions */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_rule) == 128, "ip rules are 128 bytes");

/*
 * A table: a popcount trie with strides of 6 bits that maps keys to numbers of 16 bits, routes for
 * a routing table, vectors for a dimension. A *slot* is SRCSEL_LEAF | number, or a node index. A
 * small table starts at slot `root`, consuming bits from the top of the key; a large one, or a
 * dimension with more than one leaf, starts with a fan of 4096 slots chosen by the key's first 12
 * bits.
 */
#define SRCSEL_LEAF 0x80000000u
#define SRCSEL_STRIDE 6u
#define SRCSEL_FAN_BITS 12u
#define SRCSEL_FAN_SLOTS 4096u
#define SRCSEL_MAX_DEPTH 22u /* strides in 128 bits */

struct srcsel_table {
  __u32 id; /* as in `ip route show table` */
  struct srcsel_trie trie;
  __u32 family;
  __u32 oif;     /* 0: for flows of no device; else the same table for flows bound to this one */
  __u32 devices; /* of a table with oif 0: how many tables by device follow it, in the order of oif;
                    the last, of oif SRCSEL_NONE, is for all other devices. 0: not in this image */
  __u32 zero[2];
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_table) == 32, "tables are 32 bytes");

/*
 * 64 slots. Bit i of `children`: slot i is a node, number child + popcount(children below i). Else
 * slot i belongs to the run of equal leaves that the highest bit of `starts` at or below i opens:
 * run r = popcount(starts up to i) - 1, its route in runs[r] if leaf is SRCSEL_NONE (at most four
 * runs), else in leaves[leaf + r]. (Read "route" as "vector" where the table is a dimension.)
 */
#define SRCSEL_NODE_RUNS 4u
struct srcsel_node {
  __u64 children, starts;
  __u32 child, leaf;
  __u16 runs[SRCSEL_NODE_RUNS];
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_node) == 32, "nodes are 32 bytes");

enum srcsel_route_flag {
  SRCSEL_ROUTE_SOURCE = 1u << 0,    /* `source` is what the kernel would choose */
  SRCSEL_ROUTE_AMBIGUOUS = 1u << 1, /* of its paths, some that may be taken have other sources */
  SRCSEL_ROUTE_GROUPS = 1u << 2,    /* more than one path, and their links' groups differ */
  SRCSEL_ROUTE_SEVERAL = 1u << 3,   /* more than one path: what is here is the first one's */
  SRCSEL_ROUTE_SAME = 1u << 4,      /* where its dscp does not hold, the source is the same */
  SRCSEL_ROUTE_ROTATES = 1u << 5,   /* `detail` is a rotation of defaults, not a route's terms */
  SRCSEL_ROUTE_MERGED = 1u << 6,    /* AMBIGUOUS because local and main may still be one trie */
  SRCSEL_ROUTE_LENGTHS = 1u << 7,   /* the kernel may take its prefix for one of another length */
  SRCSEL_ROUTE_DOUBTFUL = 1u << 8,  /* IPv6: the kernel may pass it by, and go on at `next` */
  SRCSEL_ROUTE_STRICT = 1u << 9,    /* IPv6: holds only for flows without SRCSEL_FACT_LOOSE */
  SRCSEL_ROUTE_UNBOUND = 1u << 10,  /* IPv6: `from` is for :: too, the source of a flow without */
};

/*
 * A route that a lookup may end in, with the source it implies worked out. A table's leaf names the
 * first route of the longest prefix; if that has a selector (dscp, from), `next` leads on to the
 * prefix's other routes and to those of shorter prefixes.
 */
struct srcsel_route {
  __u8 source[16];  /* wire address: RTA_PREFSRC, else what the nexthop's interface yields */
  __u8 gateway[16]; /* wire address, 0 if on link or of the other family */
  __u32 oif;        /* 0: any device will do (IPv4 blackhole and the like) */
  __u32 group;      /* group of the link oif, for suppress_ifgroup */
  __u32 next;       /* go on here if dscp or from do not hold; 0: nothing further */
  __u32 rank;       /* IPv6: equal where a device that is preferred decides between routes */
  __u32 from;       /* IPv6: index into froms, the source it is for; SRCSEL_NONE: any */
  __u32 detail;     /* number of its terms, for who has the state the image was made from */
  __u16 flags;      /* enum srcsel_route_flag */
  __u8 type;        /* RTN_*; 0 (RTN_UNSPEC): no route, which only route 0 is */
  __u8 plen;
  __u8 dscp; /* IPv4: of its three lower bits, those that the flow's must equal; 0: any */
  __u8 zero[3];
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_route) == 64, "routes are 64 bytes");

/*
 * The score of an IPv6 source address for a destination: the rules of RFC 6724 in the order in
 * which Linux applies them, the first in the highest bits. The higher score wins, of equals the
 * first.
 */
enum srcsel_score {
  SRCSEL_SCORE_NOT_OPTIMISTIC = 1u << 0,
  SRCSEL_SCORE_PREFIX = 1u << 1, /* times the bits in common, 0 to 128 */
  SRCSEL_SCORE_ORCHID = 1u << 9,
  SRCSEL_SCORE_PRIVACY = 1u << 10,
  SRCSEL_SCORE_LABEL = 1u << 11,
  SRCSEL_SCORE_OIF = 1u << 12,
  SRCSEL_SCORE_HOME = 1u << 13,
  SRCSEL_SCORE_PREFERRED = 1u << 14,
  SRCSEL_SCORE_SCOPE = 1u << 15, /* times 0 to 127 */
  SRCSEL_SCORE_SAME = 1u << 22,
  SRCSEL_SCORE_CANDIDATE = 1u << 23,
  SRCSEL_SCORE_ONLY = 1u << 24, /* before any address of another interface */
};

enum srcsel_address_flag {
  SRCSEL_ADDRESS_ONLY = 1u << 0,      /* out of its interface goes no address of another one */
  SRCSEL_ADDRESS_UNORDERED = 1u << 1, /* its interface's place among the others is not known */
  SRCSEL_ADDRESS_OPAQUE = 1u << 2,    /* what goes out of its interface is not mirrored (VRF) */
  SRCSEL_ADDRESS_TEMPORARY = SRCSEL_SCORE_PRIVACY,
};

/*
 * An IPv6 address that a socket may be given, in the kernel's order: by interface as they were
 * registered, then as the interface lists them. One without SRCSEL_SCORE_CANDIDATE is no address:
 * it says that its interface has none to give (SRCSEL_ADDRESS_ONLY), or one that is not known
 * (SRCSEL_ADDRESS_OPAQUE).
 */
struct srcsel_address {
  struct srcsel_key key;
  __u32 oif;
  __u32 label; /* of `labels` for oif, SRCSEL_NONE if there is none */
  __u32 score; /* what no destination changes; HOME: is a home address, ORCHID: is an ORCHID,
                  PRIVACY: as the interface's use_tempaddr prefers */
  __u16 flags; /* enum srcsel_address_flag */
  __u8 plen;
  __u8 scope; /* as in multicast addresses: 2 link, 5 site, 14 global */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_address) == 32, "addresses are 32 bytes");

/* A line of `ip addrlabel`; the first that fits holds. */
struct srcsel_label {
  struct srcsel_match match;
  __u32 oif, oif_mask; /* mask 0: any interface */
  __u32 label;
  __u32 zero[5];
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_label) == 64, "labels are 64 bytes");

/*
 * Which destinations have a route in the local table at all, by their first 12 bits: bit i % 64 of
 * word[i / 64]. Most have none, and need no lookup to be told so.
 */
struct srcsel_local_places {
  __u64 word[SRCSEL_FAN_SLOTS / 64];
};

#define SRCSEL_NEAR_POLICY 20u

/* Page 0. */
struct srcsel_header {
  __u32 magic, version;
  __u32 pages;      /* size of the whole image, this page included */
  __u32 inputs;     /* enum srcsel_input bits that the policy consults, and DSCP if ip rules or
                       routes do: a hook gathers no more */
  __u64 generation; /* grows with every image published for one namespace; 0 is never published */
  __u64 netns;      /* SO_NETNS_COOKIE of the namespace the tables were read from */
  struct srcsel_section policy;                 /* struct srcsel_policy, first match wins */
  struct srcsel_section vectors;                /* struct srcsel_vector */
  struct srcsel_section rules[SRCSEL_FAMILIES]; /* struct srcsel_rule, in evaluation order */
  struct srcsel_section tables;                 /* struct srcsel_table */
  struct srcsel_section routes;                 /* struct srcsel_route; 0 is "no route here" */
  struct srcsel_section froms;                  /* struct srcsel_match of source-specific routes */
  struct srcsel_section fans;                   /* __u32 trie slots, 4096 a fan */
  struct srcsel_section nodes;                  /* struct srcsel_node */
  struct srcsel_section leaves;                 /* __u16 route or vector indexes */
  __u32 local[SRCSEL_FAMILIES];                 /* index of table 255, or SRCSEL_NONE */
  struct srcsel_dimensions dimensions[SRCSEL_FAMILIES];
  struct srcsel_section addresses;     /* struct srcsel_address, IPv6 */
  struct srcsel_section labels;        /* struct srcsel_label, IPv6 */
  struct srcsel_section slots;         /* struct srcsel_slot of all pools */
  struct srcsel_section own_marks;     /* struct srcsel_own_mark, no two alike */
  __u64 nothing;                       /* 0: one that the verifier takes for any number */
  __u32 cgroup_levels[SRCSEL_CGROUPS]; /* of the ancestors that srcsel_flow.cgroup lists */
  __u32 superseded;                    /* in a file: another image has its name now. The only word
                                          that is ever written in an image that is in force */
  __u32 beyond_local[SRCSEL_FAMILIES]; /* the ip rule to begin with for a destination without a
                                          route in the local table: those before it look up no
                                          other, and hang on nothing that may be unknown */
  __u8 zero[52];
  struct srcsel_local_places local_places[SRCSEL_FAMILIES];
  struct srcsel_policy near[SRCSEL_NEAR_POLICY]; /* the first of the policy's rules once more, where
                                                    no further page is to be looked up for them */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_header) == SRCSEL_PAGE, "the header is page 0");

/* ---- flow and decision ---------------------------------------------------------------------- */

/* What the program is doing. */
enum srcsel_operation {
  SRCSEL_CONNECT = 0, /* connect(): mark and source act at once */
  SRCSEL_DATAGRAM, /* sendto() and the like: a source acts at once, a mark from the next one on */
  SRCSEL_CREATE,   /* socket(): no destination yet, only a mark can be set */
};

enum srcsel_fact {
  SRCSEL_FACT_SOURCE = 1u << 0, /* the application bound the socket to an address, or said one with
                                   the datagram */
  SRCSEL_FACT_PORT = 1u << 1,   /* the socket has a local port: it cannot be bound any more */
  SRCSEL_FACT_LOOSE = 1u << 2,  /* IPv6: oif is a preference, not a condition (IPV6_UNICAST_IF) */
  SRCSEL_FACT_MARK = 1u << 3,   /* the application marked the socket */
  SRCSEL_FACT_OLD = 1u << 4,    /* the socket is older than the hooks */
  SRCSEL_FACT_LEFT = 1u << 5,   /* it has a source that is not the application's: an earlier
                                   decision left it */
  SRCSEL_FACT_UNMARKABLE = 1u << 6, /* the caller may not mark it: it gets the source that goes with
                                       the mark */
  SRCSEL_FACT_INNER = 1u << 7,      /* hooks of a cgroup further down have decided for it */
  SRCSEL_FACT_HELD = 1u << 8,       /* they will: not to be marked as it is made. In no flow */
  SRCSEL_FACT_STAYS = 1u << 9, /* the application's mark stays its own if the kernel refuses the one
                                  it asked for last. In no flow */
};

/* A flow about to be opened by a socket. IPv4-mapped destinations are IPv4 flows. */
struct srcsel_flow {
  struct srcsel_key dst, src;   /* src 0: unbound */
  __u64 cgroup[SRCSEL_CGROUPS]; /* ids of the caller's cgroup, itself or above, at the levels that
                                   srcsel_header.cgroup_levels names; 0: it has none so deep */
  __u64 netns;                  /* SO_NETNS_COOKIE of the socket */
  __u32 mark;                   /* SO_MARK as it is */
  __u32 uid, gid;
  __u32 classid; /* as tc has it: 0x10002 is 1:2; 0: none */
  __u32 oif;     /* SO_BINDTODEVICE, 0: none */
  __u32 unknown; /* enum srcsel_input bits the caller could not fill in */
  __u32 label;   /* IPv6 flow label, 20 bits */
  __u32 chance;  /* a random number; where pools go by turn in user space, whose turn it is */
  __u16 sport, dport;
  __u8 family;    /* enum srcsel_family */
  __u8 proto;     /* IPPROTO_* */
  __u8 dscp;      /* in the lower six bits; above them the two lower ones of the tos (ECN) */
  __u8 facts;     /* enum srcsel_fact */
  __u8 operation; /* enum srcsel_operation */
  __u8 zero[7];
  char comm[SRCSEL_COMM]; /* aligned to 8 bytes */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_flow) == 136, "flows are 136 bytes");

/*
 * Why a decision is what it is. The strings are stable: explain, trace, counters and the library
 * show the same word. Append only.
 */
#define SRCSEL_REASONS(X)                                                              \
  X(NO_IMAGE, "no-image")       /* no image, or one of another version */              \
  X(NO_RULE, "no-rule")         /* no policy rule matched */                           \
  X(MARK, "mark")               /* marked: the kernel chooses by that mark */          \
  X(SOURCE, "source")           /* bound to the policy's source */                     \
  X(TABLE, "table")             /* bound to the source the tables give */              \
  X(UNSPECIFIED, "unspecified") /* destination 0.0.0.0 or :: (0.0.0.0/8 included) */   \
  X(LOOPBACK, "loopback")       /* destination in 127.0.0.0/8 or ::1 */                \
  X(LINK_LOCAL, "link-local")   /* destination in 169.254.0.0/16 or fe80::/10 */       \
  X(MULTICAST, "multicast")     /* destination is a multicast group */                 \
  X(BROADCAST, "broadcast")     /* destination 255.255.255.255 or a subnet's */        \
  X(LOCAL, "local")             /* destination is this host's own (RTN_LOCAL) */       \
  X(APP_SOURCE, "app-source")   /* the application bound an address itself */          \
  X(APP_PORT, "app-port")       /* has a local port: no source can be bound now */     \
  X(APP_DEVICE, "app-device")   /* the application bound the socket to a device */     \
  X(APP_MARK, "app-mark")       /* the application marked the socket */                \
  X(FOREIGN, "foreign")         /* socket of another namespace, tables do not hold */  \
  X(FAMILY, "family")           /* the rule has no source of this family */            \
  X(NO_ROUTE, "no-route")       /* the tables have no usable route */                  \
  X(NO_SOURCE, "no-source")     /* the route does not say which source */              \
  X(AMBIGUOUS, "ambiguous")     /* what decides is not visible to the mirror */        \
  X(REFUSED, "refused")         /* the kernel refused the mark or the bind */          \
  X(POOL, "pool")               /* bound to an address of a pool */                    \
  X(NO_MEMBER, "no-member")     /* no address of the pool is on this host */           \
  X(NO_PORT, "no-port")         /* no port of the range is free, or none can be set */ \
  X(OLD, "old-socket")          /* the socket was there before the hooks */            \
  X(KERNEL, "kernel")           /* the rule leaves it to the kernel */                 \
  X(APP_TOS, "app-tos")         /* the application set a tos, and the firewall looks at it */

enum srcsel_reason {
#define SRCSEL_REASON_ENUM(name, text) SRCSEL_WHY_##name,
  SRCSEL_REASONS(SRCSEL_REASON_ENUM)
#undef SRCSEL_REASON_ENUM
      SRCSEL_WHY_COUNT
};

enum srcsel_apply {
  SRCSEL_APPLY_MARK = 1u << 0,   /* new mark = old mark & ~mark_mask | mark */
  SRCSEL_APPLY_SOURCE = 1u << 1, /* bind to source, port 0, without choosing the port yet; all 0:
                                    take back what an earlier decision bound */
  SRCSEL_APPLY_PORTS = 1u << 2,  /* bind to source and a free port of port_first..port_last */
  SRCSEL_APPLY_REJECT = 1u << 3, /* fail the call with `error`, also if what is to be applied
                                    cannot be */
};

struct srcsel_decision {
  __u32 reason; /* enum srcsel_reason */
  __u32 apply;  /* enum srcsel_apply bits; 0: leave the socket alone */
  __u32 policy; /* index of the rule in the image's policy, or SRCSEL_NONE */
  __u32 mark, mark_mask;
  __u32 rule;                  /* preference of the ip rule that decided, or SRCSEL_NONE */
  __u32 table;                 /* id of the table, 0 if none was consulted */
  __u32 oif;                   /* the route's interface, 0 if none was consulted */
  __u8 source[16];             /* wire address */
  __u16 port_first, port_last; /* in an event, both are the port chosen */
  __u32 error; /* with REJECT: ENETUNREACH or EADDRNOTAVAIL; 0 if there is nothing to reject yet */
  __u64 generation; /* of the image decided on, 0 if there was none */
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_decision) == 64, "decisions are 64 bytes");

/* What became of the flows that a policy rule held for. */
struct srcsel_tally {
  __u64 matched, applied, failed;
};

/* ---- events --------------------------------------------------------------------------------- */

/* One decision taken by a hook, as written to the ring while a reader listens. */
struct srcsel_event {
  __u64 time_ns;  /* CLOCK_BOOTTIME */
  __u64 socket;   /* SO_COOKIE */
  __u64 cgroup;   /* of the caller */
  __u32 pid, tid; /* of the caller, in the initial pid namespace */
  __s32 error;    /* 0, or the -errno with which something could not be applied */
  __u32 zero;
  struct srcsel_flow flow;
  struct srcsel_decision decision;
};
SRCSEL_STATIC_ASSERT(sizeof(struct srcsel_event) == 240, "events are 240 bytes");

#endif /* SRCSEL_ABI_H */
