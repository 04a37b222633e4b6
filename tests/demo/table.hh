// The table on stdout, a row at a time, and on a terminal's stderr what is being done meanwhile.
//
// 80 columns of ASCII; coloured if stdout is a terminal and NO_COLOR is not set. A row shows what
// was observed, whether expected or not.

#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "demo/crossing.hh"
#include "demo/way.hh"

namespace srcsel::demo {

class Table {
 public:
  Table();

  void PrintText(absl::string_view text) const;
  void PrintHead(const Family &family) const;
  void PrintRow(const Way &way, const Crossing &crossing) const;

  void ShowProgress(const Family &family, const Way &way) const;
  void ClearProgress() const;

 private:
  enum class Colour { kNone, kBold, kGood, kBad, kDoubtful };

  std::string Cell(std::string text, int width, Colour colour = Colour::kNone) const;

  bool coloured_, progress_;
};

}  // namespace srcsel::demo
