#include "import.hh"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/fit_marks.hh"
#include "base/in_netns.hh"
#include "base/status.hh"
#include "json_text.hh"
#include "netfilter/compile_marks.hh"
#include "netfilter/read_rules.hh"
#include "netns_option.hh"
#include "option_words.hh"
#include "policy/write_policy.hh"
#include "say.hh"
#include "source_nats.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kImportText[] = R"(
Reads what nft or iptables (both variants, IPv4 and IPv6) do to packets that this host itself sends,
and writes a policy that gives each flow the same mark before its source is chosen. Nothing on the
host is changed. Comments at the top say what could not be translated, and which MASQUERADE and SNAT
rules are of no use any more to what this host sends.

A UDP socket that never connects, and sends to destinations of two marks by turns, is better off with
srcsel up, which leaves the marks of such datagrams to the firewall.

Examples:
  srcsel import nft --output srcsel.toml && srcsel check srcsel.toml
  srcsel import iptables | less

With --json: "firewall" (nft or iptables), "others" (whether there are rules of the other one, too),
"skipped" (what could not be read), "not_understood" (rules that were not translated: what comes there
is left to the kernel), "limits", "needless" and "forwarding" (NAT that is of no use any more; that
only what is forwarded needs), and "policy" (the file's text).

Exit status: 0; 2 if nothing could be read or written.
)";

struct ImportOptions {
  std::string kind, output, netns;
  bool json = false;
};

// What the host's rules say, and what the policy does not.
struct Imported {
  std::string kind;
  bool others = false;  // there are rules of the other firewall too
  std::vector<std::string> skipped, not_understood, limits;
  std::vector<std::string> needless, forwarding;  // source NATs
  bool empty = false;
  std::string policy;
};

absl::StatusOr<Imported> Import(const ImportOptions &options) {
  SRCSEL_RETURN_IF_ERROR(WantRoot("the firewall's rules are root's alone to see (CAP_NET_ADMIN)"));
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(options.netns));
  NfRuleSet rules = ReadRules();
  const std::size_t all = rules.tables.size();
  std::erase_if(rules.tables, [&](const NfTable &table) {
    return (table.origin == NfOrigin::kNft) != (options.kind == "nft");
  });
  MarkPolicy marks = CompileMarksForFile(rules, RoomBehind({}));
  FitBehind({}, marks);
  // What is left to the kernel may be in need of it.
  const bool whole = rules.skipped.empty() && marks.not_understood.empty() && marks.limits.empty();
  const SourceNats nats = marks.rules.empty() || !whole ? SourceNats() : SortSourceNats(rules);
  return Imported{.kind = options.kind,
                  .others = rules.tables.size() != all,
                  .skipped = rules.skipped,
                  .not_understood = marks.not_understood,
                  .limits = marks.limits,
                  .needless = NamesOf(nats.needless),
                  .forwarding = NamesOf(nats.forwarding),
                  .empty = marks.rules.empty(),
                  .policy = WritePolicy({std::move(marks.rules)})};
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

std::string ToText(const Imported &imported) {
  return absl::StrCat(
      Comment(absl::StrCat("The marks of ", imported.kind, " on this host.")),
      imported.others
          ? Comment(absl::StrCat("There are rules of ", imported.kind == "nft" ? "iptables" : "nft",
                                 " too, which are not in here."))
          : "",
      CommentList("Not read:", imported.skipped),
      CommentList("Not translated, what comes there is left to the kernel:",
                  imported.not_understood),
      CommentList("Limits:", imported.limits),
      CommentList("Needless with this policy, for this host forwards nothing:", imported.needless),
      CommentList("Needless for what this host sends, needed for what it forwards:",
                  imported.forwarding),
      imported.empty ? Comment("No rule reroutes what this host sends.") : "", "\n",
      imported.policy);
}

std::string ToJson(const Imported &imported) {
  return JsonLine({{"firewall", imported.kind},
                   {"others", imported.others},
                   {"skipped", imported.skipped},
                   {"not_understood", imported.not_understood},
                   {"limits", imported.limits},
                   {"needless", imported.needless},
                   {"forwarding", imported.forwarding},
                   {"policy", imported.policy}});
}

absl::Status Write(const std::string &text, const std::string &output) {
  if (output.empty()) return WriteOut(text);
  std::ofstream file(output);
  file << text << std::flush;
  return file ? absl::OkStatus() : absl::ErrnoToStatus(errno, "write " + output);
}

[[noreturn]] void RunImport(const ImportOptions &options) {
  const absl::StatusOr<Imported> imported = Import(options);
  const absl::Status status =
      imported.ok() ? Write(options.json ? ToJson(*imported) : ToText(*imported), options.output)
                    : imported.status();
  if (!status.ok()) {
    Say(status.message());
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
      ->check(OneOf({"nft", "iptables"}));
  import->add_option("-o,--output", options->output, "Where to write it, instead of stdout")
      ->type_name("FILE");
  import->add_flag("-j,--json", options->json, "Print JSON");
  AddNetnsOption(*import, options->netns, "Network namespace whose rules to read");
  import->footer(kImportText);
  import->callback([options] { RunImport(*options);
});
}  // namespace srcsel

}  // namespace srcsel
