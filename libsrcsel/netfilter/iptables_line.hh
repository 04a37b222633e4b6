// A line of iptables-save, "-A OUTPUT -d 10.0.0.0/8 -p tcp -m tcp ! --dport 22 -j MARK ...", taken
// apart into what each of its parts says.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace srcsel {

// "! --dport 22": a key and its values.
struct IptablesOption {
  bool negated = false;
  std::string key;
  std::vector<std::string> values;
};

// "-m tcp ..." or "-j MARK ..."; that of -d, -p and the like, which come first, has no name.
struct IptablesPart {
  std::string kind;  // "", "-m", "-j", "-g"
  std::string name;
  std::vector<IptablesOption> options;

  // "-m limit --limit 5/min"
  std::string Words() const;
};

struct IptablesLine {
  std::string chain;
  std::vector<IptablesPart> parts;
};

// Nothing if it is not such a line.
std::optional<IptablesLine> ParseIptablesLine(absl::string_view text);

}  // namespace srcsel
