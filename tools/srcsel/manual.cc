#include "manual.hh"

#include <cstdlib>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "counts.hh"
#include "reasons.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

// Characters that roff would print as others, or take as its own.
std::string Roff(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\e"},
                                    {"-", "\\-"},
                                    {"`", "\\(ga"},
                                    {"'", "\\(aq"},
                                    {"\"", "\\(dq"},
                                    {"^", "\\(ha"},
                                    {"~", "\\(ti"}});
}

std::string Bold(absl::string_view text) {
  return absl::StrCat("\\fB", Roff(text), "\\fR");
}

std::string Italic(absl::string_view text) {
  return absl::StrCat("\\fI", Roff(text), "\\fR");
}

std::string TextLine(absl::string_view text) {
  return absl::StrCat(absl::StartsWith(text, ".") ? "\\&" : "", Roff(text), "\n");
}

// Paragraphs are filled; what is indented stays as it is.
std::string Explanation(const std::string &footer) {
  std::string text;
  bool verbatim = false, paragraph = false;
  const auto set = [&](bool want) {
    if (verbatim != want) text += want ? ".RS 4\n.nf\n" : ".fi\n.RE\n";
    verbatim = want;
  };
  std::string blanks;
  for (absl::string_view line : absl::StrSplit(footer, '\n')) {
    if (line.empty()) {
      paragraph = false;
      if (verbatim) blanks += "\n";
      continue;
    }
    set(absl::StartsWith(line, " "));
    if (verbatim)
      absl::StrAppend(&text, absl::StrReplaceAll(blanks, {{"\n", ".sp\n"}}));
    else if (!paragraph)
      text += ".PP\n";
    blanks.clear();
    paragraph = !verbatim;
    absl::StrAppend(&text, TextLine(verbatim ? line.substr(2) : line));
  }
  set(false);
  return text;
}

std::string Option(const CommandWord &option) {
  const std::string value = option.value.empty() ? "" : absl::StrCat(" ", Italic(option.value));
  const std::string names = absl::StrJoin(
      option.names, ", ", [](std::string *out, const std::string &name) { *out += Bold(name); });
  return absl::StrCat(".TP\n", names, value, "\n", TextLine(option.help));
}

std::string Section(const Command &command) {
  std::string text = absl::StrCat(".SS srcsel ", Roff(command.name));
  for (const CommandWord &argument : command.arguments)
    absl::StrAppend(&text, " ", Roff(absl::StrReplaceAll(argument.value, {{"\"", "\"\""}})));
  absl::StrAppend(&text, "\n", TextLine(absl::StrCat(command.help, ".")));
  for (const CommandWord &option : command.options)
    if (!absl::StrContains(option.names.back(), "--help")) text += Option(option);
  return text + Explanation(command.footer);
}

std::string Reasons() {
  std::string text =
      ".SH REASONS\nWhy a decision is what it is, in the words of\n.BR explain ,\n.BR trace ,\n.B "
      "status\nand\n.BR stats .\nWhere nothing is said to have been set, the socket was left alone "
      "and the kernel chose, unless the rule says on\\-fail = \\(dqreject\\(dq.\n";
  for (std::uint32_t reason = 0; reason < SRCSEL_WHY_COUNT; ++reason)
    absl::StrAppend(&text, ".TP\n", Bold(ReasonWord(reason)), "\n",
                    TextLine(ReasonMeaning(static_cast<srcsel_reason>(reason))));
  return text;
}

}  // namespace

std::string ManualOf(const Command &root) {
  std::string text;
  for (const Command *command : AllOf(root))
    if (command->verbs.empty()) text += Section(*command);
  return text + Reasons();
}

void AddManual(CLI::App &app) {
  CLI::App *manual = app.add_subcommand("manual", "Print the verbs as the man page has them");
  manual->group("");
  manual->callback([manual] {
    const absl::Status written = WriteOut(ManualOf(ReadCommands(*manual)));
    if (!written.ok()) Fail(written);
    std::exit(0);
  });
}

}  // namespace srcsel
