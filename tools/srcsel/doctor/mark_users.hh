// Other programs that mark packets by a convention of their own, as far as they are seen to be at
// work here: in ip rules, or in what the firewall does to what this host sends.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/mark.hh"
#include "srcsel/doctor/facts.hh"

namespace srcsel {

struct MarkUser {
  std::string name;  // "Tailscale"
  Mark mark;         // as seen: 0x80000/0xff0000. The bits of the mask are the program's
};

// One for each program and mark.
std::vector<MarkUser> MarkUsers(const NetworkFacts &network);

// Whether one of them has a rule of just this mark.
bool IsOf(const std::vector<MarkUser> &users, Mark mark);

}  // namespace srcsel
