#include "command_tree.hh"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "counts.hh"
#include "explain_words.hh"
#include "route_words.hh"

namespace srcsel {
namespace {

Offer OfferFor(const std::string &value) {
  static const auto &known = *new std::map<std::string, Offer>{
      {"FILE", Offer::kFile},       {"OUT", Offer::kFile},
      {"NAME|PATH", Offer::kNetns}, {"PATH", Offer::kCgroup},
      {"PID", Offer::kProcess},     {"ADDR|\"dev IF\"", Offer::kAddress},
      {"CMD...", Offer::kCommand},  {"ADDR [WORD VALUE]...", Offer::kFlow},
      {"REASON", Offer::kChoices},
  };
  const auto found = known.find(value);
  return found == known.end() ? Offer::kNothing : found->second;
}

// CLI11 writes validators behind the type: "mark|bind:{mark,bind}".
void SetValue(const std::string &type, CommandWord &word) {
  const std::size_t end = type.find_last_of(':', type.find('{'));
  const bool choices = type.ends_with('}');
  word.value = choices ? type.substr(0, end) : type;
  word.offer = OfferFor(word.value);
  if (!choices) return;
  word.choices = absl::StrSplit(type.substr(end + 2, type.size() - end - 3), ',');
  word.value = absl::StrJoin(word.choices, "|");
  word.offer = Offer::kChoices;
}

CommandWord WordOf(const CLI::Option &option, const std::string &verb) {
  CommandWord word{.help = option.get_description()};
  for (const std::string &name : option.get_snames()) word.names.push_back("-" + name);
  for (const std::string &name : option.get_lnames()) word.names.push_back("--" + name);
  if (option.get_items_expected_max() != 0) SetValue(option.get_type_name(), word);
  if (word.value == "REASON") word.choices = ReasonWords();
  if (word.offer == Offer::kFlow)
    word.choices = NamesOf(verb == "explain" ? AllExplainWords() : FlowWords());
  return word;
}

Command CommandOf(const CLI::App &app, const std::string &name) {
  Command command{.name = name, .help = app.get_description(), .footer = app.get_footer()};
  for (const CLI::Option *option : app.get_options())
    if (!option->get_group().empty())
      (option->get_positional() ? command.arguments : command.options)
          .push_back(WordOf(*option, name));
  for (const CLI::App *verb : app.get_subcommands([](const CLI::App *) { return true; }))
    if (!verb->get_group().empty())
      command.verbs.push_back(
          CommandOf(*verb, absl::StrCat(name, name.empty() ? "" : " ", verb->get_name())));
  return command;
}

void Collect(const Command &command, std::vector<const Command *> &all) {
  all.push_back(&command);
  for (const Command &verb : command.verbs) Collect(verb, all);
}

}  // namespace

Command ReadCommands(const CLI::App &app) {
  const CLI::App *root = &app;
  while (root->get_parent() != nullptr) root = root->get_parent();
  return CommandOf(*root, "");
}

std::vector<const Command *> AllOf(const Command &root) {
  std::vector<const Command *> all;
  Collect(root, all);
  return all;
}

std::string LastWord(const Command &command) {
  return command.name.substr(command.name.rfind(' ') + 1);
}

}  // namespace srcsel
