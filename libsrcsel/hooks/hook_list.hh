// The programs and maps of the skeleton under the names they are pinned by. For this room alone.

#pragma once

#include <array>

#include <bpf/libbpf.h>

#include "srcsel.skel.h"

namespace srcsel {

struct Hook {
  const char *name;
  bpf_program *program;
  bpf_attach_type type;
  bool remembers;       // what the application does itself; decides nothing
  const char *without;  // what is amiss where the kernel has none; nullptr: too much
};

inline constexpr char kWithoutCreate[] =
    "what raw sockets send, and ping sockets that do not connect, is left to the kernel, and other "
    "datagrams sent without connecting have their mark from the second one on";
inline constexpr char kWithoutSendmsg4[] =
    "IPv4 datagrams sent without connecting have the source that the kernel gives them";
inline constexpr char kWithoutSendmsg6[] =
    "IPv6 datagrams sent without connecting have the source that the kernel gives them";

// In the order in which they are attached: nothing is decided before all is remembered.
inline std::array<Hook, 8> HooksOf(const srcsel_bpf &skeleton) {
  const auto &progs = skeleton.progs;
  return {{{"bind4", progs.srcsel_bind4, BPF_CGROUP_INET4_BIND, true, nullptr},
           {"bind6", progs.srcsel_bind6, BPF_CGROUP_INET6_BIND, true, nullptr},
           {"setsockopt", progs.srcsel_setsockopt, BPF_CGROUP_SETSOCKOPT, true, nullptr},
           {"create", progs.srcsel_create, BPF_CGROUP_INET_SOCK_CREATE, false, kWithoutCreate},
           {"connect4", progs.srcsel_connect4, BPF_CGROUP_INET4_CONNECT, false, nullptr},
           {"connect6", progs.srcsel_connect6, BPF_CGROUP_INET6_CONNECT, false, nullptr},
           {"sendmsg4", progs.srcsel_sendmsg4, BPF_CGROUP_UDP4_SENDMSG, false, kWithoutSendmsg4},
           {"sendmsg6", progs.srcsel_sendmsg6, BPF_CGROUP_UDP6_SENDMSG, false, kWithoutSendmsg6}}};
}

struct HookMap {
  const char *name;
  bpf_map *map;
  bool outlives;  // the programs: those that replace them go on with it
};

// The image is published anew for programs that are: none reads another one's.
inline std::array<HookMap, 8> MapsOf(const srcsel_bpf &skeleton) {
  const auto &maps = skeleton.maps;
  return {{{"images", maps.srcsel_images, false},
           {"counters", maps.srcsel_counters, true},
           {"tallies", maps.srcsel_tallies, true},
           {"turns", maps.srcsel_turns, true},
           {"claims", maps.srcsel_claims, true},
           {"facts", maps.srcsel_facts, true},
           {"events", maps.srcsel_events, true},
           {"switches", maps.bss, true}}};
}

}  // namespace srcsel
