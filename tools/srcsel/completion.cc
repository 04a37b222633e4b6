#include "completion.hh"

#include <cstdlib>
#include <memory>

#include "option_words.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kCompletionText[] = R"(
Prints a script that completes verbs, options, files, interfaces, addresses, network namespaces and
cgroups. The Debian package has all three in place; this is without it. As a script is what
it prints, it has no JSON.

Examples:
  srcsel completion bash > ~/.local/share/bash-completion/completions/srcsel
  srcsel completion zsh > ~/.zfunc/_srcsel        # a folder of your $fpath
  srcsel completion fish > ~/.config/fish/completions/srcsel.fish

Exit status: 0; 2 for a shell it does not know.
)";

}  // namespace

void AddCompletion(CLI::App &app) {
  CLI::App *completion =
      app.add_subcommand("completion", "Print what a shell needs to complete srcsel's words");
  auto shell = std::make_shared<std::string>();
  completion->add_option("shell", *shell, "Which shell: bash, zsh or fish")
      ->required()
      ->check(OneOf({"bash", "zsh", "fish"}));
  completion->footer(kCompletionText);
  completion->callback([shell, completion] {
    const Command root = ReadCommands(*completion);
    const absl::Status written = WriteOut(*shell == "bash"  ? BashCompletion(root)
                                          : *shell == "zsh" ? ZshCompletion(root)
                                                            : FishCompletion(root));
    if (!written.ok()) Fail(written);
    std::exit(0);
  });
}

}  // namespace srcsel
