#include "usage_error.hh"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "policy/nearest.hh"

namespace srcsel {
namespace {

// The verb that was said, and "srcsel route" as it was.
struct Said {
  const CLI::App *verb;
  std::string words = "srcsel";
};

Said SaidOf(const CLI::App &app) {
  Said said{&app};
  while (!said.verb->get_subcommands().empty()) {
    said.verb = said.verb->get_subcommands().front();
    absl::StrAppend(&said.words, " ", said.verb->get_name());
  }
  return said;
}

std::string UnknownWord(const CLI::App &app) {
  std::vector<std::string> words = app.remaining(true);
  std::erase(words, "--");
  const Said said = SaidOf(app);
  return absl::StrCat(words.empty() ? "--" : words[0], " is not known here; see ", said.words,
                      " --help");
}

std::string WrongVerb(const CLI::App &app, const Said &said,
                      const std::vector<const CLI::App *> &all) {
  std::vector<std::string> names;
  for (const CLI::App *verb : all) names.push_back(verb->get_name());
  const std::vector<std::string> words = app.remaining(true);
  const std::string word = words.empty() ? "" : words[0];
  const std::vector<absl::string_view> candidates(names.begin(), names.end());
  const absl::string_view meant = word.empty() ? "" : Nearest(word, candidates);
  return absl::StrCat(word.empty() ? "no verb; " : absl::StrCat("'", word, "' is not a verb; "),
                      meant.empty() ? "" : absl::StrCat("did you mean ", meant, "? "),
                      "there is: ", absl::StrJoin(names, ", "), " (", said.words, " --help)");
}

// A verb, or an argument: of CLI11's sentence, the first word is its name.
std::string Missing(const CLI::App &app, const std::string &sentence) {
  const Said said = SaidOf(app);
  const auto all =
      said.verb->get_subcommands([](const CLI::App *verb) { return !verb->get_group().empty(); });
  if (!all.empty()) return WrongVerb(app, said, all);
  const std::string name = sentence.substr(0, sentence.find(' '));
  const CLI::Option *missing = said.verb->get_option_no_throw(name);
  return absl::StrCat(name, " is missing",
                      missing == nullptr ? "" : absl::StrCat(": ", missing->get_description()),
                      " (", said.words, " --help)");
}

// "--netns: 1 required NAME|PATH missing", "--netns: At Most 1 required but received 2".
std::string WrongCount(const std::string &sentence) {
  std::string name = sentence.substr(0, sentence.find_first_of(": "));
  // Of a flag that got a value, CLI11 says the bare name.
  if (!name.empty() && name[0] != '-') name.insert(0, name.size() == 1 ? "-" : "--");
  constexpr char kOne[] = ": 1 required ", kMissing[] = " missing";
  if (absl::StrContains(sentence, "At Most")) return absl::StrCat(name, ": say it once");
  if (!absl::StrContains(sentence, kOne) || !absl::EndsWith(sentence, kMissing))
    return absl::StrCat(name, " takes no value");
  const std::size_t begin = sentence.find(kOne) + sizeof(kOne) - 1;
  return absl::StrCat(name, ": a value is missing behind it, ",
                      sentence.substr(begin, sentence.size() - begin - sizeof(kMissing) + 1));
}

// "--json excludes --prometheus"
std::string Together(const std::string &sentence) {
  const std::size_t end = sentence.find(' ');
  return absl::StrCat(sentence.substr(0, end), " and ", sentence.substr(sentence.rfind(' ') + 1),
                      " exclude each other");
}

// "--json: Should be true/false or a number", "Could not convert: --json = yes": a flag, for all
// other values are checked before they are converted.
std::string NoValue(absl::string_view sentence) {
  absl::ConsumePrefix(&sentence, "Could not convert: ");
  return absl::StrCat(sentence.substr(0, sentence.find_first_of(": =")), " takes no value");
}

}  // namespace

std::string UsageError(const CLI::App &app, const CLI::ParseError &error) {
  const std::string sentence = error.what();
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
    case CLI::ExitCodes::ExtrasError:
      return UnknownWord(app);
    case CLI::ExitCodes::RequiredError:
      return Missing(app, sentence);
    case CLI::ExitCodes::ArgumentMismatch:
      return WrongCount(sentence);
    case CLI::ExitCodes::ExcludesError:
      return Together(sentence);
    case CLI::ExitCodes::ConversionError:
      return NoValue(sentence);
    default:
      return sentence;
  }
}

}  // namespace srcsel
