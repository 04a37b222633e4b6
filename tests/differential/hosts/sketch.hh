// A host being drawn: the commands that make it, and the names that later commands refer to.
//
// Few values everywhere, so that what is drawn apart meets: addresses of the host's own are in
// 10.0.0.0/8 and fd10::/16 (and a few of each other kind), places elsewhere in 20.0.0.0/8 and
// fd20::/16; tables are 100 to 104 besides those that every host has.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "differential/draw.hh"

namespace srcsel {

struct Sketch {
  Draw &draw;
  bool hidden = false;  // much decides that the kernel does not show
  std::vector<std::string> commands = {};

  std::vector<std::string> links = {};                      // by name; lo is not one of them
  std::array<std::vector<std::string>, 2> own = {};         // addresses, [1] IPv6
  std::array<std::vector<std::uint32_t>, 2> nexthops = {};  // ids of objects, [1] IPv6
  std::array<std::vector<std::uint32_t>, 2> groups = {};    // those of them that are groups

  template <typename... Words>
  void Add(const Words &...words) {
    commands.push_back(absl::StrCat(words...));
  }

  const std::string &AnyLink() { return draw.OneOf(links); }
  // Of the host's own, or with hosts that have none, one that is nobody's.
  std::string OwnAddress(bool v6);
  // An address a gateway on this link may have; in one of the link's networks, if it has any.
  std::string Gateway(const std::string &link, bool v6);
  // An address elsewhere.
  std::string Elsewhere(bool v6);
  // A prefix elsewhere, or the default, or around the host's own.
  std::string Destination(bool v6);
  // "table N".
  std::string Table();

  // Number of the link's networks: 10.N.0.0/24 and 10.N.1.0/24, fd10:N::/64 and fd10:N:0:1::/64.
  unsigned NumberOf(const std::string &link) const;
};

inline const char *Ip(bool v6) {
  return v6 ? "ip -6 " : "ip -4 ";
}

// Each adds commands of its kind.
void DrawLinks(Sketch &host);
void DrawSettings(Sketch &host);
void DrawAddresses(Sketch &host);
void DrawNexthops(Sketch &host, bool v6);
void DrawRoutes(Sketch &host, bool v6);
void DrawNeighbours(Sketch &host, bool v6);
void DrawRules(Sketch &host, bool v6);
void DrawLateChanges(Sketch &host);

}  // namespace srcsel
