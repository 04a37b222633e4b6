// The table on stdout, a row at a time, and on a terminal's stderr what is being done meanwhile.
//
// 80 columns of ASCII; coloured if stdout is a terminal and NO_COLOR is not set. A row shows what
// was observed, whether expected or not.

#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "base/terminal.hh"
#include "demo/crossing.hh"
#include "demo/way.hh"

namespace srcsel::demo {

class Table {
 public:
  void PrintText(absl::string_view text);
  void PrintHead(const Family &family);
  void PrintRow(const Way &way, const Crossing &crossing);

  void ShowProgress(const Family &family, const Way &way);
  void ClearProgress() { progress_.Clear(); }

 private:
  ProgressLine progress_;
};

}  // namespace srcsel::demo
