#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "agent/control.hh"
#include "agent/up.hh"
#include "agent/up_pins.hh"
#include "base/status.hh"
#include "base/terminal.hh"
#include "json_text.hh"
#include "say.hh"
#include "up.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kReload[] = R"(
Reads the policy of the running `srcsel up` anew, and comes back when it is in force. All or
nothing: if the policy has an error, each is printed, and what was in force stays in force. No
connection is decided by a mixture of both. Counters by rule begin anew.

Examples:
  srcsel reload
  srcsel reload --policy /etc/srcsel/night.toml

With --json: "rules" (how many are in force now), and "findings" with "severity", "file", "line",
"key" and "message".

Exit status: 0 if the policy is in force; 2 if it has an error; 1 if nothing is up, or it failed.
)";

constexpr char kConfirm[] = R"(
Keeps up what `srcsel up --try TIME` brought up.

Examples:
  srcsel up --try 60s && srcsel confirm

With --json: "confirmed" (true).

Exit status: 0 if it stays; 1 if nothing is up, or there is nothing to confirm.
)";

constexpr char kDown[] = R"(
Takes down what `srcsel up` brought up: hooks, pinned maps, and the process that follows the kernel.
What stays is the directory /run/srcsel, empty, and the bpffs on /sys/fs/bpf where `up` found none:
others may have pinned something in it. Sockets keep the source and the mark they have. Works also if that process is gone;
if it has been stopped, says what lets it go on.

Examples:
  srcsel down

With --json: "down", whether anything was up and was taken down.

Exit status: 0 if nothing is up any more; 1 if it could not be taken down,
or all is down but ip rules of --steer in a network namespace that is not found.
)";

struct AskOptions {
  std::string policy;
  bool quiet = false, json = false;
};

absl::StatusOr<ControlAnswer> AskAndHear(const ControlRequest &request) {
  SRCSEL_RETURN_IF_ERROR(WantRoot(kNotToBeChanged));
  absl::StatusOr<Asked> asked = Ask(UpPaths::Get(), request);
  SRCSEL_RETURN_IF_ERROR(asked.status());
  SRCSEL_RETURN_IF_ERROR(asked->answer.status);
  return std::move(asked->answer);
}

[[noreturn]] void RunReload(const AskOptions &options) {
  const std::string file =
      options.policy.empty() ? "" : std::filesystem::absolute(options.policy).string();
  ProgressLine progress("reading the policy");
  const absl::StatusOr<ControlAnswer> answer =
      AskAndHear({.verb = ControlRequest::Verb::kReload, .policy = file});
  progress.Clear();
  if (!answer.ok()) Fail(answer.status());
  const absl::Status written = WriteOut(
      options.json
          ? JsonLine({{"rules", answer->rules}, {"findings", FindingsToJson(answer->findings)}})
          : FindingsToText(answer->findings, options.quiet));
  if (HasErrors(answer->findings)) {
    Say("the policy has errors: what was in force stays");
    std::exit(kExitWrongWords);
  }
  if (!options.quiet) Say(absl::StrCat(Counted(answer->rules, "rule"), " in force"));
  if (!written.ok()) Fail(written);
  std::exit(0);
}

[[noreturn]] void RunConfirm(const AskOptions &options) {
  const auto answer = AskAndHear({.verb = ControlRequest::Verb::kConfirm});
  if (!answer.ok()) Fail(answer.status());
  const absl::Status written =
      options.json ? WriteOut(JsonLine({{"confirmed", true}})) : absl::OkStatus();
  if (!options.quiet) Say("confirmed: stays up");
  if (!written.ok()) Fail(written);
  std::exit(0);
}

// What nobody keeps. Whether there was any.
absl::StatusOr<bool> TakeDownWhatIsLeft(const UpPaths &paths) {
  const bool pinned = !absl::IsNotFound(OpenPins(paths).status());
  if (!pinned && absl::IsNotFound(OpenRunDirectory(paths).status())) return false;
  SRCSEL_ASSIGN_OR_RETURN(const Fd run, MakeRunDirectory(paths));
  // Nobody has it but who is bringing something up.
  SRCSEL_ASSIGN_OR_RETURN(const Fd lock, TakeLock(run));
  const bool any = pinned || ReadUpState(run).ok();
  SRCSEL_RETURN_IF_ERROR(TakeDown(paths, run));
  return any;
}

// By the process that keeps it up, and by ourselves only if that is gone. Whether anything was up.
absl::StatusOr<bool> TakeItDown() {
  SRCSEL_RETURN_IF_ERROR(WantRoot(kNotToBeChanged));
  const UpPaths paths = UpPaths::Get();
  const absl::StatusOr<Asked> asked = Ask(paths, {.verb = ControlRequest::Verb::kDown});
  if (absl::IsDeadlineExceeded(asked.status())) return asked.status();
  if (!asked.ok()) return TakeDownWhatIsLeft(paths);
  SRCSEL_RETURN_IF_ERROR(asked->answer.status);
  SRCSEL_RETURN_IF_ERROR(AwaitEnd(*asked));
  return true;
}

[[noreturn]] void RunDown(const AskOptions &options) {
  const absl::StatusOr<bool> down = TakeItDown();
  if (!down.ok()) Fail(down.status());
  const absl::Status written =
      options.json ? WriteOut(JsonLine({{"down", *down}})) : absl::OkStatus();
  if (!options.quiet) Say(*down ? "down" : "nothing was up");
  if (!written.ok()) Fail(written);
  std::exit(0);
}

CLI::App *AddVerb(CLI::App &app, const char *name, const char *what, const char *explanation,
                  std::shared_ptr<AskOptions> &options, void (*run)(const AskOptions &)) {
  CLI::App *verb = app.add_subcommand(name, what);
  options = std::make_shared<AskOptions>();
  verb->add_flag("-j,--json", options->json, "Print JSON");
  verb->add_flag("-q,--quiet", options->quiet, "No line on stderr about what was done");
  verb->footer(explanation);
  verb->callback([options, run] { run(*options); });
  return verb;
}

}  // namespace

void AddReload(CLI::App &app) {
  std::shared_ptr<AskOptions> options;
  CLI::App *reload = AddVerb(app, "reload", "Read the policy of what is up anew", kReload, options,
                             [](const AskOptions &given) { RunReload(given); });
  reload->add_option("--policy", options->policy, "Another one from now on")->type_name("FILE");
}

void AddConfirm(CLI::App &app) {
  std::shared_ptr<AskOptions> options;
  AddVerb(app, "confirm", "Keep what srcsel up --try brought up", kConfirm, options,
          [](const AskOptions &given) { RunConfirm(given); });
}

void AddDown(CLI::App &app) {
  std::shared_ptr<AskOptions> options;
  AddVerb(app, "down", "Take down what srcsel up brought up", kDown, options,
          [](const AskOptions &given) { RunDown(given); });
}

}  // namespace srcsel
