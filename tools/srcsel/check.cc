#include "check.hh"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/up_policy.hh"
#include "base/in_netns.hh"
#include "base/status.hh"
#include "base/terminal.hh"
#include "compile_policy.hh"
#include "json_text.hh"
#include "netlink/read_state.hh"
#include "netns_option.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kCheckText[] = R"(
Reads the file, finds out what it means on this host (which mark leads to a table, which sources
can be bound, whether what has a chosen source leaves by the uplink that owns it), and says what it
finds, a line each: an error is what cannot be used, a warning what hardly does what was meant, a
note what was found out. Nothing on the host is changed.

Examples:
  srcsel check /etc/srcsel/srcsel.toml
  srcsel check --netns blue srcsel.toml
  srcsel check srcsel.toml --compile srcsel.image
      Then, without privilege: SRCSEL_IMAGE=srcsel.image LD_PRELOAD=libsrcsel-preload.so CMD
  srcsel check --json srcsel.toml | jq '.findings[] | select(.severity == "error")'

With --json: "file", "rules", "errors", "warnings", "notes", and "findings" with "severity",
"file", "line" (0: the file as a whole), "key" (may be empty) and "message".

Exit status: 0 if the policy can be used; 2 if it has an error, or could not be checked.
)";

struct CheckOptions {
  std::string file, netns, compile;
  bool json = false;
};

std::size_t Count(const Findings &findings, Severity severity) {
  return static_cast<std::size_t>(std::ranges::count(findings, severity, &Finding::severity));
}

nlohmann::ordered_json ToJson(const Examined &checked, const CheckOptions &options) {
  return {{"file", options.file},
          {"rules", checked.written.rules.size()},
          {"errors", Count(checked.findings, Severity::kError)},
          {"warnings", Count(checked.findings, Severity::kWarning)},
          {"notes", Count(checked.findings, Severity::kNote)},
          {"findings", FindingsToJson(checked.findings)}};
}

// "2 rules"
std::string ToText(const Examined &checked, const CheckOptions &options) {
  std::string text;
  for (const Finding &finding : checked.findings) absl::StrAppend(&text, finding.ToString(), "\n");
  return absl::StrCat(text, options.file, ": ", Counted(checked.written.rules.size(), "rule"), ", ",
                      Counted(Count(checked.findings, Severity::kError), "error"), ", ",
                      Counted(Count(checked.findings, Severity::kWarning), "warning"), "\n");
}

absl::StatusOr<Examined> Check(const CheckOptions &options) {
  if (options.file.empty())
    return absl::InvalidArgumentError("no policy to check: srcsel check FILE");
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(options.netns));
  ProgressLine progress("reading routes and rules");
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  SRCSEL_ASSIGN_OR_RETURN(const State state, reader.Read());
  progress.Show("reading ", options.file);
  SRCSEL_ASSIGN_OR_RETURN(Examined examined, Examine({options.file}, state, Advice::kCommands));
  if (!options.compile.empty() && !HasErrors(examined.findings)) {
    progress.Show("compiling ", options.compile);
    SRCSEL_RETURN_IF_ERROR(CompilePolicyTo(options.compile, examined.resolved, state));
  }
  return examined;
}

[[noreturn]] void RunCheck(const CheckOptions &options) {
  const absl::StatusOr<Examined> checked = Check(options);
  const absl::Status status =
      checked.ok()
          ? WriteOut(options.json ? JsonLine(ToJson(*checked, options)) : ToText(*checked, options))
          : checked.status();
  if (!status.ok()) {
    Say(status.message());
    std::exit(kExitCannotTell);
  }
  if (HasErrors(checked->findings)) std::exit(kExitCannotTell);
  if (!options.compile.empty()) Say(absl::StrCat("wrote ", options.compile, ", for SRCSEL_IMAGE"));
  std::exit(0);
}

}  // namespace

void AddCheck(CLI::App &app) {
  CLI::App *check =
      app.add_subcommand("check", "Tell whether a policy file is right for this host");
  auto options = std::make_shared<CheckOptions>();
  check->add_option("file", options->file, "The policy")->type_name("FILE");
  check->add_flag("-j,--json", options->json, "Print JSON");
  check->add_option("--compile", options->compile, "Also write it as an image, for the preload")
      ->type_name("OUT");
  AddNetnsOption(*check, options->netns, "Network namespace the policy is for");
  check->footer(kCheckText);
  check->callback([options] { RunCheck(*options); });
}

}  // namespace srcsel
