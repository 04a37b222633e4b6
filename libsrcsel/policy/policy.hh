// What the user wants, as plain values: an ordered list of rules, first match wins. Where it comes
// from (command line, file, a host's own firewall) is not known here. Large things are shared, so
// that a policy of many rules over one set of 800,000 prefixes holds it once.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/mark.hh"
#include "state/rule.hh"
#include <srcsel/address.hh>

namespace srcsel {

// "dev eth1": the address that interface has at the moment, followed as it changes.
struct DeviceSource {
  std::string name;
  friend bool operator==(const DeviceSource &, const DeviceSource &) = default;
};

using Source = std::variant<IpAddress, DeviceSource>;

// A source that this host does not have now, and why it cannot be had.
struct Lack {
  Source source;
  std::string why;
  friend bool operator==(const Lack &, const Lack &) = default;
};

// Of a pool: one source, drawn as often as its weight says. Without a source, the kernel chooses.
struct PoolMember {
  std::optional<Source> source;
  std::uint32_t weight = 1;  // 1 to 1000
  friend bool operator==(const PoolMember &, const PoolMember &) = default;
};

// How a flow finds its member.
enum class Pick {
  kHash,        // by its destination address: one destination, one source
  kRandom,      // anew for each connection
  kRoundRobin,  // in turn
};

// Members whose address this host does not have are left out; both families may be in one pool.
struct Pool {
  std::string name;
  std::vector<PoolMember> members;
  Pick pick = Pick::kHash;
  friend bool operator==(const Pool &, const Pool &) = default;
};

// Prefixes under a name, sorted and without host bits.
struct PrefixSet {
  std::string name;
  std::vector<Prefix> prefixes;
  friend bool operator==(const PrefixSet &, const PrefixSet &) = default;
};

// A cgroup v2 and all below it.
struct Cgroup {
  std::string path;         // from the root of the hierarchy: "/system.slice/backup.service"
  std::uint64_t id = 0;     // of the directory, 0 while there is none
  std::uint32_t level = 0;  // how many names the path has; the root is 0
  friend bool operator==(const Cgroup &, const Cgroup &) = default;
};

enum class Apply {
  kMark,  // set the mark on the socket: the kernel routes by it and chooses the source
  kBind,  // bind the source that the tables give for the mark, leave SO_MARK alone
};

enum class OnFail {
  kKernel,  // what cannot be applied is left to the kernel
  kReject,  // the call fails: EADDRNOTAVAIL, or ENETUNREACH where there is no route
};

// The name of a rule that no file has.
inline constexpr char kCommandLine[] = "command line";

struct PolicyRule {
  std::string name;  // for messages and counters: "srcsel.toml:12", kCommandLine

  // Selectors. An empty list holds for every flow, another one if any of its items does; `to` and
  // `sets` are one list.
  std::vector<Prefix> to;
  std::vector<std::shared_ptr<const PrefixSet>> sets;
  std::vector<std::uint8_t> protos;  // IPPROTO_*
  std::vector<Range16> dports;
  std::vector<Range32> uids, gids;  // effective ones of the caller of connect()
  std::vector<Range32> classids;    // of the caller, by net_cls of cgroup v1
  std::vector<Cgroup> cgroups;
  std::vector<std::string> comms;  // task->comm, at most 15 bytes each
  std::vector<Mark> marks;         // the socket's before the rule: SO_MARK & mask == value

  // What to do. At least one of mark, lookup, sources, pool and ports; or leave, alone.
  bool leave = false;  // the kernel chooses, as if there were no policy
  std::optional<Mark> mark;
  Apply apply = Apply::kMark;           // kBind needs a mark and excludes sources and pool
  std::optional<std::uint32_t> lookup;  // a table: the mark of the ip rule that leads there
  std::vector<Source> sources;          // at most one address per family
  std::shared_ptr<const Pool> pool;     // excludes sources
  std::optional<Range16> ports;         // local ports, shared between destinations
  OnFail on_fail = OnFail::kKernel;
  // The mark was found in this namespace's ip rules: sockets of another one do not get it.
  bool home_mark = false;
  // The mark is there for the sources only: flows of a family without one do not get it.
  bool led_mark = false;

  // As resolved: of its sources, or of its pool if no member is there, those that this host does
  // not have now. They may come; until then the rule acts as one that fails.
  std::vector<Lack> lacks;

  // Made for packets of dscp 0: flows of another one, or of one that cannot be seen, are left to
  // the kernel. No file says so.
  bool plain_tos = false;
  // Netfilter gives the packets of its flows the mark, whatever the socket's is: datagrams of a
  // socket that does not connect need none of the socket. No file says so.
  bool marked_later = false;

  friend bool operator==(const PolicyRule &, const PolicyRule &) = default;
};

struct Policy {
  std::vector<PolicyRule> rules;
};

}  // namespace srcsel
