#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/up_pins.hh"
#include "base/status.hh"
#include "hooks/kept_image.hh"
#include "netfilter/read_rules.hh"
#include "netlink/netns_files.hh"
#include "netlink/read_state.hh"
#include "srcsel/doctor/read_facts.hh"

namespace srcsel {
namespace {

int Sysctl(const NetnsFiles &files, const std::string &path) {
  int value = 0;
  const std::string text = files.Sysctl(AF_INET, path.c_str()).value_or("");
  return absl::SimpleAtoi(absl::StripAsciiWhitespace(text), &value) ? value : 0;
}

std::vector<ReversePath> ReadReversePaths(const NetnsFiles &files, const State &state) {
  const auto of = [&](const std::string &device, const char *name) {
    return Sysctl(files, absl::StrCat("conf/", device, "/", name));
  };
  std::vector<ReversePath> paths;
  for (const Link &link : state.links)
    paths.push_back({link.index, std::max(of(link.name, "rp_filter"), of("all", "rp_filter")),
                     of(link.name, "src_valid_mark") != 0 || of("all", "src_valid_mark") != 0});
  return paths;
}

std::vector<Mark> MarksOf(const UpPaths &paths) {
  std::vector<Mark> marks;
  const absl::StatusOr<Pins> pins = OpenPins(paths);
  if (!pins.ok()) return marks;
  const absl::StatusOr<KeptImage> image = KeptImage::Open(*pins);
  if (!image.ok() || !image->IsOurs()) return marks;
  for (const srcsel_policy &row : image->policy()) {
    const Mark mark{row.mark, row.mark_mask};
    if (mark.mask != 0 && std::ranges::find(marks, mark) == marks.end()) marks.push_back(mark);
  }
  return marks;
}

}  // namespace

UpFacts ReadUpFacts(const UpPaths &paths) {
  absl::StatusOr<UpStatus> status = ReadUpStatus(paths);
  if (status.ok()) return {*std::move(status), "", MarksOf(paths)};
  if (absl::IsNotFound(status.status())) return {};
  return {std::nullopt, std::string(status.status().message()), {}};
}

absl::StatusOr<NetworkFacts> ReadNetworkFacts() {
  NetworkFacts facts;
  SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
  SRCSEL_ASSIGN_OR_RETURN(facts.state, reader.Read());
  SRCSEL_ASSIGN_OR_RETURN(facts.strays, FindStrays(facts.state));
  const NetnsFiles files = NetnsFiles::Open();
  facts.reverse_paths = ReadReversePaths(files, facts.state);
  facts.fwmark_accept = Sysctl(files, "tcp_fwmark_accept") != 0;
  facts.firewall = ReadRules();
  facts.nats = SortSourceNats(facts.firewall);
  return facts;
}

}  // namespace srcsel
