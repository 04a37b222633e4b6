#include "srcsel/doctor/doctor.hh"

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "base/in_netns.hh"
#include "base/status.hh"
#include "srcsel/doctor/checks.hh"
#include "srcsel/doctor/read_facts.hh"
#include "srcsel/doctor/report.hh"
#include "srcsel/netns_option.hh"
#include "srcsel/say.hh"
#include "srcsel/write_out.hh"

namespace srcsel {
namespace {

constexpr char kDoctorText[] = R"(
Loads all hooks and tries each of them on sockets of its own, in a cgroup and a network namespace
that are gone afterwards; then looks for what is wrong with this kernel, with what `srcsel up` keeps,
and with the rules, routes, sysctls and firewall of this network namespace. Nothing on the host is
changed: of each finding it says what does not work, and the command that mends it. What is behind
each of them is in /usr/share/doc/srcsel/troubleshooting.md, under its name.

Examples:
  srcsel doctor
  srcsel doctor --netns blue
  srcsel doctor --json | jq -r '.findings[].remedy'

With --json: "healthy", "broken", "warnings", "notes" (how many), "findings" with "severity"
(broken, warning or note), "id" (stable), "message" and "remedy" (a command; may be empty), "probes"
with "hook", "does" and "trouble" (empty: it works), and "untried" (why there are none).

Exit status: 0 if all is well; 1 if there are warnings; 2 if something is broken, or could not be
looked at.
)";

struct DoctorOptions {
  std::string netns;
  bool json = false;
};

absl::StatusOr<Facts> ReadFacts(const DoctorOptions &options) {
  const UpPaths paths = UpPaths::Get();
  Facts facts;
  facts.host = ReadHostFacts(paths);
  facts.up = ReadUpFacts(paths);
  if (facts.host.missing_caps.empty() && facts.host.cgroup2.ok())
    facts.probes = ProbeHooks(facts.up.status ? &*facts.up.status : nullptr);
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(options.netns));
  SRCSEL_ASSIGN_OR_RETURN(facts.network, ReadNetworkFacts());
  facts.network.netns = options.netns;
  return facts;
}

[[noreturn]] void RunDoctor(const DoctorOptions &options) {
  const absl::StatusOr<Facts> facts = ReadFacts(options);
  if (!facts.ok()) {
    Say(facts.status().message());
    std::exit(kExitCannotTell);
  }
  const Complaints found = Examine(*facts);
  const absl::Status written = WriteOut(options.json ? ReportAsJson(found, facts->probes)
                                                     : ReportAsText(found, facts->probes));
  if (!written.ok()) {
    Say(written.message());
    std::exit(kExitCannotTell);
  }
  std::exit(GravestOf(found));
}

}  // namespace

void AddDoctor(CLI::App &app) {
  CLI::App *doctor =
      app.add_subcommand("doctor", "Tell what stops srcsel from working here, and what mends it");
  auto options = std::make_shared<DoctorOptions>();
  doctor->add_flag("-j,--json", options->json, "Print JSON");
  AddNetnsOption(*doctor, options->netns, "Network namespace to look at");
  doctor->footer(kDoctorText);
  doctor->callback([options] { RunDoctor(*options); });
}

}  // namespace srcsel
