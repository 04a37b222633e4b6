#include "route_get.hh"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/in_netns.hh"
#include "base/printable.hh"
#include "base/status.hh"
#include "json_text.hh"
#include "lookup/select.hh"
#include "netns_option.hh"
#include "print_route.hh"
#include "read_snapshot.hh"
#include "route_words.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kWordsText[] = R"(
Words, in any order, as `ip route get` knows them:
)";

constexpr char kGetText[] =
    R"(ipproto, if left out, is as the kernel has it: udp in IPv4, none in IPv6.

The answer is that of `ip route get`, and worked out without asking the kernel for it. Where the
kernel hides what decides, each possible answer is printed, and on stderr why.

With --json, keys are those of `ip -j route get`; besides, "exact", and if that is false "why",
"candidates" and "complete": false if there may be others than the candidates.

Exit status: 0 with an answer; 2 if there is no route, or the question makes no sense.

Examples:
  srcsel route get 192.0.2.80 mark 100
  srcsel route get 2001:db8::80 ipproto tcp dport 443 uid 1000
)";

struct GetOptions {
  std::vector<std::string> words;
  std::string netns;
  bool json = false;
};

std::vector<Outcome> OutcomesOf(const Selection &selection) {
  if (selection.exact()) return {selection.outcome};
  return selection.candidates;
}

// True if any of them leaves.
absl::StatusOr<bool> PrintText(const RoutePrinter &printer, const Flow &flow,
                               const Selection &selection) {
  std::string routes;
  for (const Outcome &outcome : OutcomesOf(selection))
    if (outcome.error == 0)
      routes += printer.Text(flow, outcome);
    else
      std::cerr << PrintableLines(printer.Text(flow, outcome));
  SRCSEL_RETURN_IF_ERROR(WriteOut(routes));
  return !routes.empty();
}

absl::StatusOr<bool> PrintJson(const RoutePrinter &printer, const Flow &flow,
                               const Selection &selection) {
  if (selection.exact() && selection.outcome.error != 0) return PrintText(printer, flow, selection);
  auto object = selection.candidates.empty() && !selection.exact()
                    ? RoutePrinter::Json::object()
                    : printer.Object(flow, selection.outcome);
  object["exact"] = selection.exact();
  bool leaves = selection.exact();
  if (!selection.exact()) {
    object["why"] = std::string(AmbiguityWord(selection.why));
    object["complete"] = selection.complete;
    object["candidates"] = RoutePrinter::Json::array();
    for (const Outcome &outcome : selection.candidates) {
      leaves |= outcome.error == 0;
      object["candidates"].push_back(printer.Object(flow, outcome));
    }
  }
  SRCSEL_RETURN_IF_ERROR(WriteOut(JsonLine(RoutePrinter::Json::array({object}))));
  return leaves;
}

absl::StatusOr<bool> Get(const GetOptions &options) {
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(options.netns));
  SRCSEL_ASSIGN_OR_RETURN(const Flow flow, FlowOfWords(options.words));
  SRCSEL_ASSIGN_OR_RETURN(const std::unique_ptr<const Snapshot> snapshot, ReadSnapshotHere());
  const Selection selection = Lookup(*snapshot, flow);
  const RoutePrinter printer(snapshot->state().links);
  SRCSEL_ASSIGN_OR_RETURN(const bool leaves, options.json ? PrintJson(printer, flow, selection)
                                                          : PrintText(printer, flow, selection));
  if (!selection.exact()) Say(absl::StrCat("ambiguous: ", AmbiguityText(selection.why)));
  return leaves;
}

[[noreturn]] void RunGet(const GetOptions &options) {
  const absl::StatusOr<bool> leaves = Get(options);
  if (!leaves.ok()) Say(leaves.status().message());
  std::exit(leaves.ok() && *leaves ? 0 : kExitCannotTell);
}

}  // namespace

void AddRoute(CLI::App &app) {
  CLI::App *route = app.add_subcommand("route", "What the kernel's routing tables say");
  route->require_subcommand(1);
  CLI::App *get = route->add_subcommand("get", "The route and source a flow gets");
  auto options = std::make_shared<GetOptions>();
  get->add_flag("-j,--json", options->json, "Print JSON");
  AddNetnsOption(*get, options->netns, "Network namespace to ask about");
  get->add_option("words", options->words, "Destination, and the words below")
      ->type_name("ADDR [WORD VALUE]...");
  get->footer(absl::StrCat(kWordsText, HelpOf(FlowWords()), kGetText));
  get->callback([options] { RunGet(*options); });
}

}  // namespace srcsel
