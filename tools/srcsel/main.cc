// srcsel: the command. One file a verb; this one only finds it.

#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "run.hh"

namespace {

// `run` keeps 1 to 124 for the command it runs; every other verb says 2 for words it does not know.
int UsageStatus(int argc, char **argv) {
  return argc > 1 && std::strcmp(argv[1], "run") == 0 ? 125 : 2;
}

}  // namespace

int main(int argc, char **argv) {
  CLI::App app("Chooses the right source address at the socket, before the SYN exists.");
  app.name("srcsel");
  app.set_version_flag("--version", "srcsel " SRCSEL_VERSION);
  app.require_subcommand(1);
  app.footer("srcsel VERB --help explains a verb.");
  srcsel::AddRun(app);
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
  } catch (const CLI::RequiredError &) {
    const char *verb = argc > 1 ? argv[1] : "";
    std::fprintf(stderr, "srcsel: '%s' is not a verb; there is: run (srcsel --help)\n", verb);
    return UsageStatus(argc, argv);
  } catch (const CLI::ParseError &error) {
    std::fprintf(stderr, "srcsel: %s\n", error.what());
    return UsageStatus(argc, argv);
  }
  return 0;
}
