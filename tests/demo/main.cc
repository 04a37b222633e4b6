// srcsel-demo: a host with two uplinks, crossed four ways by real curl to real nginx, as a table.
//
// Each way has a lab of its own. Exit status: 0 if every line came out exactly as it must, 1 if one
// did not or could not be made, 2 for a wrong command line.

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status.hh"
#include "demo/crossing.hh"
#include "demo/interrupt.hh"
#include "demo/needs.hh"
#include "demo/table.hh"
#include "demo/verdict.hh"
#include "demo/way.hh"

namespace srcsel::demo {
namespace {

constexpr char kIntroduction[] =
    R"(A host with two uplinks: the main default leaves by Telecom, as 10.0.0.1; what
iptables marks with 100 is led out by Unicom, where the host is 10.1.0.1. Each
provider drops what comes from an address that is not of its own network.
)";

constexpr char kConclusion[] = R"(
Marked, the SYN leaves by Unicom with Telecom's address, and is dropped.
MASQUERADE rewrites it: an entry per connection, and getsockname() lies.
srcsel chose the source before there was a SYN: nothing to rewrite or to track.
On a host of yours, 100 being the mark of its ip rule:
  )";

// As one would type it here.
std::string PathToType(const std::string &program) {
  std::string near = std::filesystem::proximate(program);
  return absl::StartsWith(near, "..") ? program : near;
}

// Lines that differ from what they must be.
absl::StatusOr<std::vector<std::string>> Show(Table &table, const std::string &srcsel) {
  std::vector<std::string> differences;
  table.PrintText(kIntroduction);
  for (const Family &family : Families()) {
    table.PrintHead(family);
    for (const Way &way : Ways()) {
      table.ShowProgress(family, way);
      SRCSEL_ASSIGN_OR_RETURN(const Crossing crossing, Cross(way, family, srcsel));
      SRCSEL_RETURN_IF_ERROR(NotInterrupted());
      table.PrintRow(way, crossing);
      const std::string difference = Difference(way, family, crossing);
      if (!difference.empty())
        differences.push_back(absl::StrCat(family.name, ", ", way.name, ": ", difference));
    }
  }
  return differences;
}

absl::Status Demonstrate() {
  SRCSEL_RETURN_IF_ERROR(CheckNeeds());
  SRCSEL_ASSIGN_OR_RETURN(const std::string srcsel, FindSrcsel());
  CatchInterrupts();
  Table table;
  const absl::StatusOr<std::vector<std::string>> differences = Show(table, srcsel);
  table.ClearProgress();
  DieIfInterrupted();
  if (!differences.ok()) return differences.status();
  if (!differences->empty()) return absl::InternalError(absl::StrJoin(*differences, "\n"));
  table.PrintText(absl::StrCat(kConclusion, PathToType(srcsel),
                               " run --mark 100 -- curl https://example.com\n"));
  return std::ferror(stdout) ? absl::DataLossError("write to stdout") : absl::OkStatus();
}

}  // namespace
}  // namespace srcsel::demo

int main(int argc, char **argv) {
  if (argc > 1) {
    const absl::string_view word = argv[1];
    const bool help = word == "--help" || word == "-h";
    std::fprintf(help ? stdout : stderr,
                 "usage: srcsel-demo\nTwo uplinks in network namespaces, four ways to cross them, "
                 "as a table. Run it as root.\n");
    return help ? 0 : 2;
  }
  const absl::Status status = srcsel::demo::Demonstrate();
  if (status.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(status.message(), '\n'))
    std::fprintf(stderr, "srcsel-demo: %s\n", std::string(line).c_str());
  return 1;
}
