#include "base/in_netns.hh"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/netns.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

std::string &ToldNetns() {
  static auto &netns = *new std::string;
  return netns;
}

std::string OneInNetns(const std::string &netns, absl::string_view command) {
  for (const absl::string_view verb : {"srcsel run", "srcsel up"})
    if (absl::ConsumePrefix(&command, verb)) return absl::StrCat(verb, " --netns ", netns, command);
  if (absl::StrContains(netns, "/")) return absl::StrCat("nsenter --net=", netns, " ", command);
  if (absl::ConsumePrefix(&command, "ip ")) return absl::StrCat("ip -n ", netns, " ", command);
  return absl::StrCat("ip netns exec ", netns, " ", command);
}

}  // namespace

std::string InNetns(const std::string &netns, absl::string_view commands) {
  if (netns.empty() || commands.empty()) return std::string(commands);
  constexpr char kThen[] = " && ";
  const absl::string_view typed = commands.substr(0, commands.find("  # "));
  std::vector<std::string> there;
  for (const absl::string_view command : absl::StrSplit(typed, kThen))
    there.push_back(OneInNetns(netns, command));
  return absl::StrCat(absl::StrJoin(there, kThen), commands.substr(typed.size()));
}

void TellCommandsFor(const std::string &netns) {
  ToldNetns() = netns;
}

std::string AsTyped(absl::string_view commands) {
  return InNetns(ToldNetns(), commands);
}

absl::Status GoIntoNetns(const std::string &netns) {
  if (netns.empty()) return absl::OkStatus();
  SRCSEL_ASSIGN_OR_RETURN(const Fd fd, OpenNetns(netns));
  SRCSEL_RETURN_IF_ERROR(EnterNetns(fd));
  TellCommandsFor(netns);
  return absl::OkStatus();
}

}  // namespace srcsel
