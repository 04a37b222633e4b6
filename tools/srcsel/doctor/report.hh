// What doctor has found, for people and for programs.

#pragma once

#include <string>

#include "srcsel/doctor/complaint.hh"
#include "srcsel/doctor/probe.hh"

namespace srcsel {

// A block for each, then a line that sums up; where none is more than a note, also what was tried.
std::string ReportAsText(const Complaints &found, const ProbeReport &probes);
std::string ReportAsJson(const Complaints &found, const ProbeReport &probes);

// 0: nothing that is more than a note; 1: warnings; 2: something is broken.
int GravestOf(const Complaints &found);

}  // namespace srcsel
