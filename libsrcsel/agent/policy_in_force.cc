#include "agent/policy_in_force.hh"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "agent/cgroup_id.hh"
#include "agent/cgroup_path.hh"
#include "agent/check_source.hh"
#include "agent/up_policy.hh"
#include "agent/up_state.hh"
#include "agent/way.hh"
#include "base/cgroup_root.hh"
#include "base/status.hh"
#include "image/compile.hh"
#include "lookup/query.hh"
#include "policy/text_file.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

constexpr std::size_t kLargestImage = std::size_t{1} << 30;

absl::StatusOr<Image> ReadImage(const std::string &path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path, kLargestImage);
  if (!text.ok())
    return absl::Status(text.status().code(),
                        absl::StrCat("image ", path, " ", text.status().message()));
  std::vector<std::byte> bytes(text->size());
  std::memcpy(bytes.data(), text->data(), text->size());
  if (bytes.size() < SRCSEL_PAGE || bytes.size() % SRCSEL_PAGE != 0)
    return absl::DataLossError(absl::StrCat("image ", path, " is no image: its size is wrong"));
  Image image(std::move(bytes));
  const srcsel_header &head = image.header();
  if (head.magic != SRCSEL_ABI_MAGIC || head.version != SRCSEL_ABI_VERSION)
    return absl::FailedPreconditionError(
        absl::StrCat("image ", path, " is of version ", head.version, ", this srcsel's is ",
                     SRCSEL_ABI_VERSION, ": what is up is of another srcsel"));
  return image;
}

// Ids of the caller's cgroups at the levels that the image asks for; 0 where it has none.
void FillCgroups(const srcsel_header &head, const std::string &cgroup, srcsel_flow &flow) {
  const std::vector<std::string> above = CgroupsAbove(cgroup);
  const auto asks = [](__u32 level) { return level != SRCSEL_NONE; };
  if (std::ranges::none_of(head.cgroup_levels, asks)) return;
  const absl::StatusOr<CgroupRoot> root = FindCgroupRoot();
  if (!root.ok()) return;
  for (std::size_t i = 0; i < SRCSEL_CGROUPS; ++i)
    if (const __u32 level = head.cgroup_levels[i]; level < above.size())
      flow.cgroup[i] = CgroupId(root->root, {.path = above[level]}).value_or(0);
}

absl::StatusOr<std::vector<std::vector<Source>>> SourcesOfWords(
    const std::vector<std::vector<std::string>> &words) {
  std::vector<std::vector<Source>> all;
  for (const std::vector<std::string> &of_rule : words) {
    std::vector<Source> &sources = all.emplace_back();
    for (const std::string &word : of_rule) {
      SRCSEL_ASSIGN_OR_RETURN(Source source, SourceOfWord(word));
      sources.push_back(std::move(source));
    }
  }
  return all;
}

}  // namespace

std::string PolicyInForce::RuleName(std::uint32_t index) const {
  const auto rules = image->Section<srcsel_policy>(image->header().policy);
  if (index >= rules.size()) return "";
  const std::uint32_t id = rules[index].id;
  return id < names.size() ? names[id] : absl::StrCat("rule ", id);
}

std::vector<std::string> PolicyInForce::LacksOf(std::uint32_t index, int family,
                                                const State &state) const {
  const auto rules = image->Section<srcsel_policy>(image->header().policy);
  if (index >= rules.size() || rules[index].id >= sources.size()) return {};
  bool names_one = false;
  std::vector<std::string> lacks;
  for (const Source &source : sources[rules[index].id]) {
    const auto *address = std::get_if<IpAddress>(&source);
    if (address != nullptr && address->family() != family) continue;
    names_one = true;
    const absl::Status usable = CheckSource(source, {family}, state);
    if (!usable.ok()) lacks.emplace_back(usable.message());
  }
  if (!names_one)
    lacks.emplace_back(
        absl::StrCat("the rule names no ", family == AF_INET ? "IPv4" : "IPv6", " source"));
  return lacks;
}

absl::StatusOr<PolicyInForce> PolicyOfFile(const std::string &file, const State &state,
                                           Findings &findings) {
  SRCSEL_ASSIGN_OR_RETURN(Examined examined, Examine({file}, state, Advice::kNone));
  findings = std::move(examined.findings);
  PolicyInForce policy{.file = file, .netns = state.netns};
  if (HasErrors(findings)) return policy;
  SRCSEL_ASSIGN_OR_RETURN(policy.image, Compile(state, examined.resolved, 1));
  for (const PolicyRule &rule : examined.written.rules) {
    policy.names.push_back(rule.name);
    policy.sources.push_back(SourcesOf(rule));
  }
  return policy;
}

absl::StatusOr<PolicyInForce> PolicyOfUp(const UpPaths &paths) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd run, OpenRunDirectory(paths));
  SRCSEL_ASSIGN_OR_RETURN(UpState state, ReadUpState(run));
  SRCSEL_ASSIGN_OR_RETURN(Image image, ReadImage(absl::StrCat(paths.run, "/image")));
  SRCSEL_ASSIGN_OR_RETURN(auto sources, SourcesOfWords(state.sources));
  return PolicyInForce{.file = std::move(state.policy),
                       .cgroup = std::move(state.cgroup),
                       .image = std::move(image),
                       .names = std::move(state.rules),
                       .sources = std::move(sources),
                       .netns = state.netns,
                       .netns_name = std::move(state.netns_name)};
}

srcsel_flow PolicyFlow(const Image &image, const Flow &flow, const Caller &caller,
                       std::uint64_t netns) {
  const IpAddress src =
      flow.source.IsUnspecified() ? IpAddress::Any(flow.destination.family()) : flow.source;
  unsigned facts = 0;
  if (!flow.source.IsUnspecified()) facts |= SRCSEL_FACT_SOURCE;
  if (flow.sport != 0) facts |= SRCSEL_FACT_PORT;
  srcsel_flow asked = EngineFlow({flow, flow.destination, src, flow.sport, flow.sport == 0},
                                 static_cast<std::uint8_t>(facts));
  asked.netns = netns;
  asked.gid = caller.gid;
  asked.classid = caller.classid.value_or(0);
  if (!caller.classid) asked.unknown |= SRCSEL_IN_CLASSID;
  caller.comm.copy(asked.comm, sizeof(asked.comm) - 1);
  FillCgroups(image.header(), caller.cgroup, asked);
  return asked;
}

}  // namespace srcsel
