#include "agent/up_state.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/directory.hh"
#include "base/status.hh"
#include "policy/text_file.hh"

namespace srcsel {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLargestState = std::size_t{4} << 20;
constexpr char kName[] = "state";

// Seconds since 1970; no moment is null.
Json OfTime(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return nullptr;
  return absl::ToUnixSeconds(time);
}

absl::Time TimeOf(const Json &json, absl::Time none) {
  return json.is_null() ? none : absl::FromUnixSeconds(json.get<std::int64_t>());
}

// Fields of /proc/PID/stat from the third on; the second may hold spaces and brackets.
absl::StatusOr<std::vector<std::string>> StatOf(pid_t pid) {
  SRCSEL_ASSIGN_OR_RETURN(const std::string stat,
                          ReadTextFile(absl::StrCat("/proc/", pid, "/stat"), 1u << 16));
  return absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ', absl::SkipEmpty());
}

// Of one that has ended and waits for its parent, nothing.
absl::StatusOr<std::uint64_t> StartOf(pid_t pid) {
  SRCSEL_ASSIGN_OR_RETURN(const std::vector<std::string> fields, StatOf(pid));
  std::uint64_t start = 0;
  if (fields.size() < 20 || fields[0] == "Z" || !absl::SimpleAtoi(fields[19], &start))
    return absl::InternalError(absl::StrCat("read the start of process ", pid));
  return start;
}

}  // namespace

std::string ToJson(const UpState &state) {
  return Json{{"pid", state.pid},
              {"started", state.started},
              {"version", state.version},
              {"abi", state.abi},
              {"cgroup", state.cgroup},
              {"policy", state.policy},
              {"rules", state.rules},
              {"sources", state.sources},
              {"limits", state.limits},
              {"lacks", state.lacks},
              {"missing", state.missing},
              {"since", OfTime(state.since)},
              {"policy_since", OfTime(state.policy_since)},
              {"until", OfTime(state.until)},
              {"trial", state.trial},
              {"links", state.links},
              {"steered", state.steered},
              {"netns", state.netns},
              {"netns_name", state.netns_name},
              {"generation", state.generation},
              {"stale", state.stale},
              {"old_sockets", state.old_sockets},
              {"unseen", state.unseen}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<UpState> UpStateOf(const std::string &json) {
  try {
    const Json read = Json::parse(json);
    UpState state;
    read.at("pid").get_to(state.pid);
    read.at("started").get_to(state.started);
    read.at("version").get_to(state.version);
    read.at("abi").get_to(state.abi);
    read.at("cgroup").get_to(state.cgroup);
    read.at("policy").get_to(state.policy);
    read.at("rules").get_to(state.rules);
    state.sources = read.value("sources", state.sources);
    read.at("limits").get_to(state.limits);
    state.lacks = read.value("lacks", state.lacks);
    state.missing = read.value("missing", state.missing);
    state.since = TimeOf(read.at("since"), absl::InfinitePast());
    state.policy_since = TimeOf(read.at("policy_since"), absl::InfinitePast());
    state.until = TimeOf(read.at("until"), absl::InfiniteFuture());
    state.trial = read.value("trial", state.trial);
    state.links = read.value("links", state.links);
    read.at("steered").get_to(state.steered);
    read.at("netns").get_to(state.netns);
    state.netns_name = read.value("netns_name", "");
    read.at("generation").get_to(state.generation);
    read.at("stale").get_to(state.stale);
    read.at("old_sockets").get_to(state.old_sockets);
    read.at("unseen").get_to(state.unseen);
    return state;
  } catch (const Json::exception &wrong) {
    return absl::DataLossError(absl::StrCat("read the state: ", wrong.what()));
  }
}

absl::Status WriteUpState(const Fd &run, const UpState &state) {
  const std::string text = ToJson(state) + "\n";
  return ReplaceFile(run, kName, std::as_bytes(std::span(text)), 0644);
}

absl::StatusOr<UpState> ReadUpState(const Fd &run) {
  if (faccessat(run.get(), kName, F_OK, 0) != 0) return absl::NotFoundError("srcsel is not up");
  SRCSEL_ASSIGN_OR_RETURN(
      const std::string text,
      ReadTextFile(absl::StrCat("/proc/self/fd/", run.get(), "/", kName), kLargestState));
  return UpStateOf(text);
}

absl::StatusOr<UpState> ReadUpState(const UpPaths &paths) {
  SRCSEL_ASSIGN_OR_RETURN(const Fd run, OpenRunDirectory(paths));
  return ReadUpState(run);
}

bool IsFollowing(const UpState &state) {
  const absl::StatusOr<std::uint64_t> start = StartOf(state.pid);
  return start.ok() && *start == state.started;
}

bool IsStopped(pid_t pid) {
  const absl::StatusOr<std::vector<std::string>> fields = StatOf(pid);
  return fields.ok() && !fields->empty() && fields->front() == "T";
}

absl::StatusOr<std::uint64_t> OwnStart() {
  return StartOf(getpid());
}

}  // namespace srcsel
