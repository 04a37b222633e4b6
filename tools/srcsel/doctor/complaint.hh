// What doctor has to say about one thing on the host.

#pragma once

#include <string>
#include <vector>

namespace srcsel {

enum class Gravity {
  kNote,     // worth knowing
  kWarning,  // something does not work as well as it could, or not always
  kBroken,   // something does not work
};

struct Complaint {
  Gravity gravity = Gravity::kNote;
  std::string breaks;   // what is wrong, and what does not work therefore
  std::string remedy;   // a command that mends it; empty: none does
  std::string id = {};  // stable: that of the check
};

using Complaints = std::vector<Complaint>;

}  // namespace srcsel
