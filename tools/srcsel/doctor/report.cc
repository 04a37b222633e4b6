#include "srcsel/doctor/report.hh"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/terminal.hh"
#include "srcsel/json_text.hh"
#include "srcsel/say.hh"

namespace srcsel {
namespace {

using Json = nlohmann::ordered_json;

const char *GravityWord(Gravity gravity) {
  switch (gravity) {
    case Gravity::kNote:
      return "note";
    case Gravity::kWarning:
      return "warning";
    case Gravity::kBroken:
      return "broken";
  }
  return "";
}

Colour ColourOf(Gravity gravity) {
  switch (gravity) {
    case Gravity::kNote:
      return Colour::kBold;
    case Gravity::kWarning:
      return Colour::kYellow;
    case Gravity::kBroken:
      return Colour::kRed;
  }
  return Colour::kNone;
}

std::size_t Count(const Complaints &found, Gravity gravity) {
  return static_cast<std::size_t>(std::ranges::count(found, gravity, &Complaint::gravity));
}

std::size_t CountWorking(const ProbeReport &probes) {
  return static_cast<std::size_t>(std::ranges::count(probes.probes, "", &Probe::trouble));
}

std::string Block(const Complaint &complaint) {
  return absl::StrCat(
      Coloured(ColourOf(complaint.gravity), GravityWord(complaint.gravity)), ": ", complaint.id,
      "\n  ", complaint.breaks, "\n",
      complaint.remedy.empty() ? "" : absl::StrCat("  mend: ", complaint.remedy, "\n"), "\n");
}

std::string Tried(const ProbeReport &probes) {
  if (!probes.untried.empty()) return absl::StrCat("hooks not tried: ", probes.untried, "\n");
  std::string text;
  for (const Probe &probe : probes.probes)
    absl::StrAppendFormat(&text, "%-10s  %s\n", probe.hook, probe.does);
  return text;
}

std::string Sum(const Complaints &found, const ProbeReport &probes) {
  const std::size_t tried = probes.probes.size();
  return absl::StrCat(
      GravestOf(found) == 0 ? Coloured(Colour::kGreen, "healthy") + ": " : "",
      tried == 0 ? "" : absl::StrCat(CountWorking(probes), " of ", tried, " hooks work, "),
      Count(found, Gravity::kBroken), " broken, ",
      Counted(Count(found, Gravity::kWarning), "warning"), ", ",
      Counted(Count(found, Gravity::kNote), "note"), "\n");
}

}  // namespace

std::string ReportAsText(const Complaints &found, const ProbeReport &probes) {
  std::string text;
  for (const Complaint &complaint : found) text += Block(complaint);
  if (GravestOf(found) == 0) text += Tried(probes);
  return text + Sum(found, probes);
}

std::string ReportAsJson(const Complaints &found, const ProbeReport &probes) {
  Json findings = Json::array(), tried = Json::array();
  for (const Complaint &complaint : found)
    findings.push_back({{"severity", GravityWord(complaint.gravity)},
                        {"id", complaint.id},
                        {"message", complaint.breaks},
                        {"remedy", complaint.remedy}});
  for (const Probe &probe : probes.probes)
    tried.push_back({{"hook", probe.hook}, {"does", probe.does}, {"trouble", probe.trouble}});
  const Json json = {{"healthy", GravestOf(found) == 0},
                     {"broken", Count(found, Gravity::kBroken)},
                     {"warnings", Count(found, Gravity::kWarning)},
                     {"notes", Count(found, Gravity::kNote)},
                     {"findings", findings},
                     {"probes", tried},
                     {"untried", probes.untried}};
  return JsonLine(json);
}

int GravestOf(const Complaints &found) {
  const auto gravest = std::ranges::max_element(found, {}, &Complaint::gravity);
  return gravest == found.end() ? 0 : static_cast<int>(gravest->gravity);
}

}  // namespace srcsel
