// The command line as plain values, read off CLI11's tree: completion and the man page are written
// from these, so that neither can tell of anything else than what the program takes.

#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace srcsel {

// What a shell can offer for a value.
enum class Offer {
  kNothing,
  kChoices,
  kFile,
  kNetns,
  kCgroup,
  kProcess,
  kAddress,
  kFlow,
  kCommand
};

// An option with its names; or an argument, which has none.
struct CommandWord {
  std::vector<std::string> names = {};    // "-q", "--quiet"
  std::string value = {};                 // "FILE", "mark|bind"; empty: it takes none
  std::vector<std::string> choices = {};  // all there are, for kChoices
  std::string help = {};
  Offer offer = Offer::kNothing;
};

struct Command {
  std::string name = {};  // "route get"; of the program itself, empty
  std::string help = {}, footer = {};
  std::vector<CommandWord> options = {}, arguments = {};
  std::vector<Command> verbs = {};
};

// All that --help shows of the program that `app` belongs to.
Command ReadCommands(const CLI::App &app);

// The command and all below it, each before its own verbs.
std::vector<const Command *> AllOf(const Command &root);

// The verb's last word: "get" of "route get".
std::string LastWord(const Command &command);

}  // namespace srcsel
