#include "demo/table.hh"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace srcsel::demo {
namespace {

constexpr int kName = 19, kOutcome = 10, kEndpoint = 17, kCount = -9;  // negative: to the right
constexpr int kBothEndpoints = kEndpoint + 2 + kEndpoint;

bool WantsColour() {
  const char *refused = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) && !(refused && *refused);
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

Table::Table() : coloured_(WantsColour()), progress_(isatty(STDERR_FILENO)) {}

void Table::PrintText(absl::string_view text) const {
  ClearProgress();
  absl::PrintF("%s", text);
  std::fflush(stdout);
}

void Table::PrintHead(const Family &family) const {
  PrintText(absl::StrCat("\n", Cell(family.name, kName, Colour::kBold), "  ",
                         Cell("result", kOutcome, Colour::kBold), "  ",
                         Cell("nginx saw", kEndpoint, Colour::kBold), "  ",
                         Cell("getsockname()", kEndpoint, Colour::kBold), "  ",
                         Cell("conntrack", kCount, Colour::kBold), "\n"));
}

void Table::PrintRow(const Way &way, const Crossing &crossing) const {
  const bool answered = crossing.outcome == Outcome::kAnswered;
  std::string row = absl::StrCat(
      Cell(way.name, kName), "  ",
      Cell(OutcomeOf(crossing), kOutcome, answered ? Colour::kGood : Colour::kBad), "  ");
  if (answered)
    absl::StrAppend(&row, Cell(crossing.seen->ToString(), kEndpoint), "  ",
                    Cell(crossing.told->ToString(), kEndpoint,
                         crossing.told == crossing.seen ? Colour::kNone : Colour::kDoubtful));
  else
    absl::StrAppend(&row, Cell(ReasonOf(crossing), kBothEndpoints, Colour::kBad));
  PrintText(absl::StrCat(row, "  ",
                         Cell(absl::StrCat(crossing.tracked.size()), kCount,
                              crossing.tracked.empty() ? Colour::kNone : Colour::kDoubtful),
                         "\n"));
}

void Table::ShowProgress(const Family &family, const Way &way) const {
  if (progress_) absl::FPrintF(stderr, "\r\033[K%s, %s ...", family.name, way.name);
}

void Table::ClearProgress() const {
  if (progress_) absl::FPrintF(stderr, "\r\033[K");
}

std::string Table::Cell(std::string text, int width, Colour colour) const {
  static constexpr const char *kCodes[] = {"", "\033[1m", "\033[32m", "\033[31m", "\033[33m"};
  text = text.substr(0, text.find('\n')).substr(0, static_cast<std::size_t>(std::abs(width)));
  text = absl::StrFormat("%*s", -width, text);
  if (!coloured_ || colour == Colour::kNone) return text;
  return absl::StrCat(kCodes[static_cast<int>(colour)], text, "\033[0m");
}

}  // namespace srcsel::demo
