// srcsel: the command. One file a verb; this one only finds it.

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>

#include "check.hh"
#include "completion.hh"
#include "doctor/doctor.hh"
#include "explain.hh"
#include "identify.hh"
#include "import.hh"
#include "manual.hh"
#include "route_get.hh"
#include "run.hh"
#include "say.hh"
#include "stats.hh"
#include "status.hh"
#include "trace.hh"
#include "up.hh"
#include "usage_error.hh"
#include "verify.hh"
#include "write_out.hh"

namespace {

// `run` keeps 1 to 124 for the command it runs; every other verb says 2 for words it does not know.
int UsageStatus(int argc, char **argv) {
  return argc > 1 && std::strcmp(argv[1], "run") == 0 ? 125 : 2;
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

// A flag says yes by being there. CLI11 takes "--json=" and "--json=true" for it too, and for the
// value of "--cgroup=" the next word. What is wrong with the first such word, or "". What stands
// behind the command of `run` is the command's.
std::string WrongEquals(const CLI::App &app, int argc, char **argv) {
  const CLI::App *verb = &app;
  for (int i = 1; i < argc && std::strcmp(argv[i], "--") != 0; ++i) {
    const std::string word = argv[i], name = word.substr(0, word.find('='));
    const CLI::Option *option = word[0] == '-' ? verb->get_option_no_throw(name) : nullptr;
    if (option != nullptr && option->get_expected_max() == 0 && name != word)
      return name + " takes no value";
    if (option != nullptr && word == name + "=") return word + ": nothing stands behind the =";
    if (option != nullptr && option->get_expected_max() > 0 && name == word) ++i;
    if (word[0] == '-') continue;
    const auto below =
        verb->get_subcommands([&](const CLI::App *one) { return one->get_name() == word; });
    if (!below.empty())
      verb = below.front();
    else if (verb->get_name() == "run")
      break;
  }
  return "";
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
  app.set_version_flag("-V,--version", "srcsel " SRCSEL_RELEASE);
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
  if (const std::string wrong = WrongEquals(app, argc, argv); !wrong.empty()) {
    srcsel::Say(wrong);
    return UsageStatus(argc, argv);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &success) {
    std::ostringstream text;
    const int status = app.exit(success, text, text);
    const absl::Status written = srcsel::WriteOut(text.str());
    if (!written.ok()) srcsel::Fail(written);
    return status;
  } catch (const CLI::ParseError &error) {
    srcsel::Say(srcsel::UsageError(app, error));
    return UsageStatus(argc, argv);
  }
  return 0;
}
