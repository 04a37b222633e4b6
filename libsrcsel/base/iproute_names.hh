// Names for numbers, as iproute2 has them in its files: tables, protocols, DS fields.
//
// A file has a line "100 vtab" a name; numbers may be hexadecimal, # starts a comment, and a later
// line for the same number wins. It is looked for as /etc/iproute2/NAME, else (iproute2 6.5 and
// later) as /usr/share/iproute2/NAME; the files NAME.d/*.conf beside it add to it. What is missing
// or makes no sense is passed over: the number is then its own name.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace srcsel {

class IprouteNames {
 public:
  static IprouteNames Tables();     // rt_tables, and the three that are always there
  static IprouteNames Protocols();  // rt_protos
  static IprouteNames DsFields();   // rt_dsfield

  // Empty if it has none.
  std::string NameOf(std::uint32_t number) const;
  std::optional<std::uint32_t> NumberOf(absl::string_view name) const;

 private:
  IprouteNames(std::map<std::uint32_t, std::string> names, const std::string &file);
  void Read(const std::string &path);

  std::map<std::uint32_t, std::string> names_;
};

}  // namespace srcsel
