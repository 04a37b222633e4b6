#include "demo/table.hh"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace srcsel::demo {
namespace {

constexpr int kName = 19, kOutcome = 10, kEndpoint = 17, kCount = -9;  // negative: to the right
constexpr int kBothEndpoints = kEndpoint + 2 + kEndpoint;

constexpr Colour kGood = Colour::kGreen, kBad = Colour::kRed, kDoubtful = Colour::kYellow;

std::string Cell(std::string text, int width, Colour colour = Colour::kNone) {
  text = text.substr(0, text.find('\n')).substr(0, static_cast<std::size_t>(std::abs(width)));
  return Coloured(colour, absl::StrFormat("%*s", -width, text));
}

std::string OutcomeOf(const Crossing &crossing) {
  switch (crossing.outcome) {
    case Outcome::kAnswered:
      return absl::StrCat("by ",
                          NameOf(crossing.unicom.empty() ? Uplink::kTelecom : Uplink::kUnicom));
    case Outcome::kTimedOut:
      return "timed out";
    case Outcome::kFailed:
      break;
  }
  return "failed";
}

std::string ReasonOf(const Crossing &crossing) {
  if (crossing.outcome == Outcome::kFailed) return crossing.curl.err;
  if (!crossing.telecom.empty())
    return absl::StrCat("SYN from ", crossing.telecom[0].address.ToString(), " left by Telecom");
  if (crossing.unicom.empty()) return "no SYN left";
  return absl::StrCat("SYN from ", crossing.unicom[0].address.ToString(), ", ",
                      crossing.past_unicom.empty() ? "dropped" : "sent on", " by Unicom");
}

}  // namespace

void Table::PrintText(absl::string_view text) {
  ClearProgress();
  absl::PrintF("%s", text);
  std::fflush(stdout);
}

void Table::PrintHead(const Family &family) {
  PrintText(absl::StrCat("\n", Cell(family.name, kName, Colour::kBold), "  ",
                         Cell("result", kOutcome, Colour::kBold), "  ",
                         Cell("nginx saw", kEndpoint, Colour::kBold), "  ",
                         Cell("getsockname()", kEndpoint, Colour::kBold), "  ",
                         Cell("conntrack", kCount, Colour::kBold), "\n"));
}

void Table::PrintRow(const Way &way, const Crossing &crossing) {
  const bool answered = crossing.outcome == Outcome::kAnswered;
  std::string row =
      absl::StrCat(Cell(way.name, kName), "  ",
                   Cell(OutcomeOf(crossing), kOutcome, answered ? kGood : kBad), "  ");
  if (answered)
    absl::StrAppend(&row, Cell(crossing.seen->ToString(), kEndpoint), "  ",
                    Cell(crossing.told->ToString(), kEndpoint,
                         crossing.told == crossing.seen ? Colour::kNone : kDoubtful));
  else
    absl::StrAppend(&row, Cell(ReasonOf(crossing), kBothEndpoints, kBad));
  PrintText(absl::StrCat(row, "  ",
                         Cell(absl::StrCat(crossing.tracked.size()), kCount,
                              crossing.tracked.empty() ? Colour::kNone : kDoubtful),
                         "\n"));
}

void Table::ShowProgress(const Family &family, const Way &way) {
  progress_.Show(family.name, ", ", way.name);
}

}  // namespace srcsel::demo
