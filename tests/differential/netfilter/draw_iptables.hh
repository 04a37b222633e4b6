// Random rules of iptables: mangle OUTPUT and chains it jumps to, now and then raw and filter too.

#pragma once

#include <string>

#include "dice.hh"

namespace srcsel {

// For iptables-restore or, with `v6`, ip6tables-restore. `cgroup` is the path of one that rules may
// name.
std::string DrawIptables(Dice &dice, bool v6, bool unknown, const std::string &cgroup);

// For ipset restore, before that.
std::string IpSetsToDrawFrom();

}  // namespace srcsel
