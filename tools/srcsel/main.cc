// srcsel: the command. One file a verb; this one only finds it.

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "check.hh"
#include "completion.hh"
#include "doctor/doctor.hh"
#include "explain.hh"
#include "identify.hh"
#include "import.hh"
#include "manual.hh"
#include "policy/nearest.hh"
#include "route_get.hh"
#include "run.hh"
#include "stats.hh"
#include "status.hh"
#include "trace.hh"
#include "up.hh"
#include "verify.hh"

namespace {

// `run` keeps 1 to 124 for the command it runs; every other verb says 2 for words it does not know.
int UsageStatus(int argc, char **argv) {
  return argc > 1 && std::strcmp(argv[1], "run") == 0 ? 125 : 2;
}

// Of `srcsel` or, where only `srcsel route` was said, of that.
std::string WrongVerb(const CLI::App &app, const CLI::RequiredError &error) {
  const CLI::App *at = &app;
  std::string said = "srcsel";
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    absl::StrAppend(&said, " ", at->get_name());
  }
  const std::vector<std::string> words = app.remaining(true);
  const auto all =
      at->get_subcommands([](const CLI::App *verb) { return !verb->get_group().empty(); });
  if (all.empty()) return absl::StrCat(error.what(), " (", said, " --help)");
  std::vector<std::string> names;
  for (const CLI::App *verb : all) names.push_back(verb->get_name());
  const std::string word = words.empty() ? "" : words[0];
  const std::vector<absl::string_view> candidates(names.begin(), names.end());
  const absl::string_view meant = word.empty() ? "" : srcsel::Nearest(word, candidates);
  return absl::StrCat(word.empty() ? "no verb; " : absl::StrCat("'", word, "' is not a verb; "),
                      meant.empty() ? "" : absl::StrCat("did you mean ", meant, "? "),
                      "there is: ", absl::StrJoin(names, ", "), " (", said, " --help)");
}

// An unset variable of a script is no wish: `--cgroup ""` would else mean the whole host.
void RefuseEmptyValues(CLI::App &app) {
  for (CLI::Option *option : app.get_options())
    if (option->get_expected_max() > 0 && !option->get_positional())
      option->check([](const std::string &text) { return text.empty() ? "is empty" : ""; }, "");
  // `run` says of each what it takes instead.
  for (CLI::App *verb :
       app.get_subcommands([](const CLI::App *v) { return v->get_name() != "run"; }))
    RefuseEmptyValues(*verb);
}

// What is opened later must not be taken for a standard stream that was closed. A run leaves them
// to its command as they are.
void FillStandardStreams() {
  int fd = 0;
  while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO) continue;
  if (fd >= 0) close(fd);
}

}  // namespace

int main(int argc, char **argv) {
  CLI::App app("Chooses the right source address at the socket, before the SYN exists.");
  app.name("srcsel");
  app.set_version_flag("--version", "srcsel " SRCSEL_RELEASE);
  app.require_subcommand(1);
  app.footer("srcsel VERB --help explains a verb.");
  srcsel::AddRun(app);
  srcsel::AddUp(app);
  srcsel::AddReload(app);
  srcsel::AddConfirm(app);
  srcsel::AddDown(app);
  srcsel::AddStatus(app);
  srcsel::AddTrace(app);
  srcsel::AddStats(app);
  srcsel::AddCheck(app);
  srcsel::AddDoctor(app);
  srcsel::AddImport(app);
  srcsel::AddExplain(app);
  srcsel::AddIdentify(app);
  srcsel::AddPids(app);
  srcsel::AddRoute(app);
  srcsel::AddVerify(app);
  srcsel::AddCompletion(app);
  srcsel::AddManual(app);
  RefuseEmptyValues(app);
  if (UsageStatus(argc, argv) != 125) FillStandardStreams();
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    return app.exit(success);
  } catch (const CLI::ExtrasError &) {
    std::vector<std::string> words = app.remaining(true);
    std::erase(words, "--");
    std::fprintf(stderr, "srcsel: %s is not known here; see srcsel %s--help\n", words[0].c_str(),
                 UsageStatus(argc, argv) == 125 ? "run " : "");
    return UsageStatus(argc, argv);
  } catch (const CLI::RequiredError &error) {
    std::fprintf(stderr, "srcsel: %s\n", WrongVerb(app, error).c_str());
    return UsageStatus(argc, argv);
  } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "srcsel: %s\n", error.what());
    return UsageStatus(argc, argv);
  }
  return 0;
}
