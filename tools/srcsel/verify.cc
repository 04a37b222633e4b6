#include "verify.hh"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/process_policies.hh"
#include "agent/verify.hh"
#include "base/in_netns.hh"
#include "base/status.hh"
#include "base/terminal.hh"
#include "json_text.hh"
#include "netns_option.hh"
#include "option_words.hh"
#include "print_route.hh"
#include "read_snapshot.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr int kDisagree = 1;

constexpr char kVerifyText[] = R"(
Draws flows around this host's own prefixes, addresses, ports, marks and uids, works out their
routes from a copy of the kernel's state, and asks the kernel for the same (RTM_GETROUTE). One in
eight is a UDP flow whose source is compared with that of a real connect(), which sends no packet;
none under a policy of srcsel's own, which would decide it.
Nothing on the host is changed. Where the kernel hides what decides, its answer must be among the
possible ones: such flows are counted as ambiguous.

Examples:
  srcsel verify
  srcsel verify --flows 100000
  srcsel verify --json | jq '.examples[]'

With --json: "flows", "agree", "ambiguous", "disagree", "connected", "seed", and "examples" of
disagreement: "flow" in the words of `ip route get`, "by" a lookup or a connect, "srcsel", "kernel".

Exit status: 0 if nothing disagrees; 1 if anything does; 2 if it could not be found out.
)";

struct VerifyWords {
  std::uint64_t flows = VerifyOptions().flows;
  std::uint64_t seed = std::random_device()();
  std::string netns;
  bool json = false;
};

using Json = nlohmann::ordered_json;

// "via 10.0.0.254 dev eth0 table 100 src 10.0.0.1", or the error.
class Describer {
 public:
  explicit Describer(const RoutePrinter &printer) : printer_(printer) {}

  std::string Ours(const Disagreement &d) const {
    if (d.ours.exact()) return Answer(d, d.ours.outcome);
    return absl::StrCat(
        AmbiguityWord(d.ours.why), ": ",
        absl::StrJoin(d.ours.candidates, " | ", [&](std::string *out, const Outcome &candidate) {
          *out += Answer(d, candidate);
        }));
  }
  std::string Kernels(const Disagreement &d) const { return Answer(d, d.kernel); }

 private:
  std::string Answer(const Disagreement &d, const Outcome &outcome) const {
    if (outcome.error != 0) return std::strerror(outcome.error);
    if (d.connected) return absl::StrCat("src ", outcome.source.ToString());
    return printer_.Summary(outcome);
  }

  const RoutePrinter &printer_;
};

Json ToJson(const Verification &result, std::uint64_t seed, const RoutePrinter &printer) {
  const Describer describe(printer);
  Json examples = Json::array();
  for (const Disagreement &d : result.examples)
    examples.push_back({{"flow", printer.Words(d.flow)},
                        {"by", d.connected ? "connect" : "lookup"},
                        {"srcsel", describe.Ours(d)},
                        {"kernel", describe.Kernels(d)}});
  return {{"flows", result.flows},         {"agree", result.agree},
          {"ambiguous", result.ambiguous}, {"disagree", result.disagree},
          {"connected", result.connected}, {"seed", seed},
          {"examples", examples}};
}

std::string ToText(const Verification &result, std::uint64_t seed, const RoutePrinter &printer) {
  const Describer describe(printer);
  std::string text = absl::StrCat(
      result.flows, " flows (", result.connected, " of them connected): ", result.agree, " agree, ",
      result.ambiguous, " ambiguous, ", result.disagree, " disagree; seed ", seed, "\n");
  for (const Disagreement &d : result.examples)
    absl::StrAppend(&text, "\n", d.connected ? "connect " : "ip route get ", printer.Words(d.flow),
                    "\n  srcsel  ", describe.Ours(d), "\n  kernel  ", describe.Kernels(d), "\n");
  return text;
}

bool IsUnderAPolicy() {
  const absl::StatusOr<ProcessPolicies> own = PolicyFinder(UpPaths::Get()).Of(getpid());
  return own.ok() && own->any();
}

absl::StatusOr<bool> Check(const VerifyWords &words) {
  SRCSEL_RETURN_IF_ERROR(GoIntoNetns(words.netns));
  std::vector<Link> links;
  const auto read = [&]() -> absl::StatusOr<std::unique_ptr<const Snapshot>> {
    SRCSEL_ASSIGN_OR_RETURN(std::unique_ptr<const Snapshot> snapshot, ReadSnapshotHere());
    links = snapshot->state().links;
    return snapshot;
  };
  absl::StatusOr<Verification> result;
  {
    ProgressLine progress;
    const VerifyOptions options{
        .flows = words.flows, .seed = words.seed, .connect = !IsUnderAPolicy()};
    result = Verify(options, read, [&](std::uint64_t done) {
      if (done % 1000 == 0) progress.Show(done, " of ", words.flows, " flows");
    });
  }
  SRCSEL_RETURN_IF_ERROR(result.status());
  const RoutePrinter printer(links);
  SRCSEL_RETURN_IF_ERROR(WriteOut(words.json ? JsonLine(ToJson(*result, words.seed, printer))
                                             : ToText(*result, words.seed, printer)));
  return result->disagree == 0;
}

[[noreturn]] void RunVerify(const VerifyWords &words) {
  const absl::StatusOr<bool> agrees = Check(words);
  if (!agrees.ok()) Say(agrees.status().message());
  std::exit(!agrees.ok() ? kExitCannotTell : *agrees ? 0 : kDisagree);
}

}  // namespace

void AddVerify(CLI::App &app) {
  CLI::App *verify = app.add_subcommand("verify", "Compare the mirror with the kernel, here");
  auto words = std::make_shared<VerifyWords>();
  verify->add_option("--flows", words->flows, "How many flows, 10000 if left out")
      ->type_name("N")
      ->check(NumberFrom(1, 100'000'000));
  verify->add_option("--seed", words->seed, "Draw the flows of an earlier run again")
      ->type_name("S")
      ->check(NumberFrom(0, std::numeric_limits<std::uint64_t>::max()));
  verify->add_flag("-j,--json", words->json, "Print JSON");
  AddNetnsOption(*verify, words->netns, "Network namespace to verify");
  verify->footer(kVerifyText);
  verify->callback([words] { RunVerify(*words); });
}

}  // namespace srcsel
