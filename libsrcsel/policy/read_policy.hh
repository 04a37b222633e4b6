// A policy file -> Policy. The language is TOML, its words are iproute2's:
//
//   include = "conf.d/*.toml"           # above all tables: files whose rules come behind these
//
//   [set.unicom]                        # prefixes under a name
//   file = "unicom.txt"                 # one a line, beside this file; or prefixes =
//   ["10.0.0.0/8"]
//
//   [pool.wan2]                         # sources, one of which is taken
//   members = ["10.1.0.2", { source = "dev eth2", weight = 3 }, "kernel"]
//   pick = "hash"                       # by destination; or "random", "round-robin"
//
//   [[rule]]                            # the first that fits holds
//   to       = ["@unicom", "203.0.113.0/24"]
//   ipproto  = "tcp"
//   dport    = [443, "8000-8099"]
//   uidrange = "1000-1999"              # or a user's name
//   gid      = "backup"                 # or a number, or a range
//   classid  = "10:1"                   # of net_cls, as tc has it, or a number, or a range
//   cgroup   = "/system.slice/backup.service"
//   comm     = "curl"
//   if-mark  = "0x10/0xf0"              # what the socket has already
//   mark     = "0x64/0xff"              # set it ...
//   # lookup = "vtab"                   # ... or the one of the ip rule that leads to this table
//   apply    = "mark"                   # or "bind": bind the source the tables give for the mark
//   # source = "10.1.0.1"               # or "dev eth1", "pool wan2", ["10.1.0.1", "fd00:1::1"];
//                                       # "kernel", alone: leave it as if there were no policy
//   # ports  = "20000-29999"            # local ones
//   on-fail  = "kernel"                 # or "reject"
//
// A selector is one word or a list of them, any of which may fit; all selectors must.
//
// What is included shares the names of sets and pools, and includes nothing.
//
// Contract: all mistakes of a file, and of the files it names, are found at once, but for one
// against TOML itself, or a file that cannot be read: then no rule is looked at. Nothing of the
// host's routing is asked; names of tables, protocols, users and groups are. At most 4 MiB are
// read, of all files together. Cost: that of the sets (read_set.hh).

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "policy/finding.hh"
#include "policy/policy.hh"

namespace srcsel {

struct PolicyFile {
  Policy policy;  // with an error it is not complete
  // Of each file by line, then of the sets' files.
  Findings findings;
  // Whose rules these are, in that order.
  std::vector<std::string> files = {};
  // Lines of keys, by the name of their rule and "rule.mark".
  std::map<std::pair<std::string, std::string>, std::uint32_t> key_lines = {};

  // Moves what is said of a rule's key from the rule's line to the key's.
  void PlaceAtKeys(Findings &at_rules) const;
};

PolicyFile ReadPolicy(const std::string &file);

// The same, of a text that is thought to be in `file`.
PolicyFile ReadPolicyText(absl::string_view text, const std::string &file);

}  // namespace srcsel
