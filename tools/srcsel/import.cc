#include "import.hh"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "base/status.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/read_rules.hh"
#include "netns_option.hh"
#include "policy/write_policy.hh"
#include "say.hh"
#include "source_nats.hh"
#include <srcsel/abi.h>

namespace srcsel {
namespace {

constexpr char kImportText[] = R"(
Reads what nft or iptables (both variants, IPv4 and IPv6) do to packets that this host itself sends,
and writes a policy that gives each flow the same mark before its source is chosen. Nothing on the
host is changed. Comments at the top say what could not be translated, and which MASQUERADE and SNAT
rules are of no use any more to what this host sends.

Examples:
  srcsel import nft --output srcsel.toml && srcsel check srcsel.toml
  srcsel import iptables | less

Exit status: 0; 2 if nothing could be read or written.
)";

struct ImportOptions {
  std::string kind, output, netns;
};

bool IsOf(NfOrigin origin, const std::string &kind) {
  return (origin == NfOrigin::kNft) == (kind == "nft");
}

std::string Comment(absl::string_view text) {
  return absl::StrCat("# ", absl::StrReplaceAll(text, {{"\n", " "}, {"\r", " "}}), "\n");
}

std::string CommentList(const std::string &title, const std::vector<std::string> &lines) {
  if (lines.empty()) return "";
  return absl::StrCat(Comment(title), absl::StrJoin(lines, "", [](std::string *out, const auto &l) {
                        absl::StrAppend(out, Comment(absl::StrCat("  ", l)));
                      }));
}

std::string AboutSourceNats(const NfRuleSet &rules) {
  const SourceNats nats = SortSourceNats(rules);
  return absl::StrCat(CommentList("Needless with this policy, for this host forwards nothing:",
                                  NamesOf(nats.needless)),
                      CommentList("Needless for what this host sends, needed for what it forwards:",
                                  NamesOf(nats.forwarding)));
}

// What of the rules the policy does not say.
std::string AboutLimits(const NfRuleSet &rules, const MarkPolicy &policy) {
  return absl::StrCat(CommentList("Not read:", rules.skipped),
                      CommentList("Not translated, what comes there is left to the kernel:",
                                  policy.NotUnderstood()),
                      CommentList("Limits:", policy.limits));
}

absl::StatusOr<std::string> Import(const ImportOptions &options) {
  SRCSEL_RETURN_IF_ERROR(EnterNetnsOption(options.netns));
  NfRuleSet rules = ReadRules();
  const std::size_t all = rules.tables.size();
  std::erase_if(rules.tables, [&](const NfTable &t) { return !IsOf(t.origin, options.kind); });
  MarkPolicy marks = CompileMarks(rules, SRCSEL_MAX_POLICY);
  std::string text = Comment(absl::StrCat("The marks of ", options.kind, " on this host."));
  if (rules.tables.size() != all)
    text += Comment(absl::StrCat("There are rules of ", options.kind == "nft" ? "iptables" : "nft",
                                 " too, which are not in here."));
  absl::StrAppend(&text, AboutLimits(rules, marks), AboutSourceNats(rules));
  if (marks.rules.empty()) text += Comment("No rule reroutes what this host sends.");
  return absl::StrCat(text, "\n", WritePolicy({std::move(marks.rules)}));
}

absl::Status Print(const std::string &text, const std::string &output) {
  if (output.empty()) {
    std::cout << text << std::flush;
    return std::cout ? absl::OkStatus()
                     : absl::UnavailableError("write the policy: stdout takes no more");
  }
  std::ofstream file(output);
  file << text << std::flush;
  return file ? absl::OkStatus() : absl::ErrnoToStatus(errno, "write " + output);
}

[[noreturn]] void RunImport(const ImportOptions &options) {
  const absl::StatusOr<std::string> text = Import(options);
  const absl::Status status = text.ok() ? Print(*text, options.output) : text.status();
  if (!status.ok()) {
    std::cerr << "srcsel: " << status.message() << '\n';
    std::exit(kExitCannotTell);
  }
  std::exit(0);
}

}  // namespace

void AddImport(CLI::App &app) {
  CLI::App *import =
      app.add_subcommand("import", "Write the marks of this host's firewall as a policy file");
  auto options = std::make_shared<ImportOptions>();
  import->add_option("firewall", options->kind, "Whose rules: nft or iptables")
      ->required()
      ->check(CLI::IsMember({"nft", "iptables"}));
  import->add_option("-o,--output", options->output, "Where to write it, instead of stdout")
      ->type_name("FILE");
  AddNetnsOption(*import, options->netns, "Network namespace whose rules to read");
  import->footer(kImportText);
  import->callback([options] { RunImport(*options);
});
}  // namespace srcsel

}  // namespace srcsel
