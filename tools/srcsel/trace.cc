#include "trace.hh"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "agent/cgroup_subtree.hh"
#include "agent/up_events.hh"
#include "base/printable.hh"
#include "base/status.hh"
#include "base/unmapped.hh"
#include "counts.hh"
#include "decision_text.hh"
#include "json_text.hh"
#include "option_words.hh"
#include "policy/words.hh"
#include "say.hh"
#include "write_out.hh"

namespace srcsel {
namespace {

constexpr char kTraceText[] = R"(
Prints the decisions of what `srcsel up` has attached, one a line, as they are taken: those that
change something or fail; with --all, also those that leave a socket alone. A line is: time, command,
process, protocol, destination, reason, what was set, and by which rule.

Examples:
  srcsel trace
  srcsel trace --comm curl --to 192.0.2.0/24
  srcsel trace --cgroup /system.slice
  srcsel trace --all --reason app-source
  srcsel trace --summary > /dev/null        # ^C ends it
  srcsel trace --json | jq -r '[.comm, .destination, .source] | @tsv'

With --json, an object a line: "time_ns" (since 1970), "comm", "pid", "tid", "uid", "cgroup" (id),
"cookie" (SO_COOKIE), "operation" (connect, datagram, create), "protocol", "destination", "dport",
"reason", "rule", "generation", "error" (errno, 0: none), and where they were set "mark", "source",
"port".

--cgroup takes a path from the root of the hierarchy, and what is below it passes, too. What a cgroup
did that is gone before that is read does not pass.

What is not read in time is missed, never waited for; how much, is told at the end on stderr. One
trace runs at a time. Exit status: 0 once it has been ended by a signal or by --count; 1 if nothing
is up, or no more; 2 for words it does not know.
)";

struct TraceOptions {
  bool json = false, all = false, summary = false, quiet = false;
  std::uint32_t pid = 0;
  std::uint64_t count = 0;
  std::string comm, cgroup, to, reason;
};

struct Filter {
  std::uint32_t pid;
  std::string comm, reason;
  std::optional<Prefix> to;
  std::optional<CgroupSubtree> cgroup;

  bool Passes(const srcsel_event &event) {
    if (pid != 0 && event.pid != pid) return false;
    if (!comm.empty() && strncmp(comm.c_str(), event.flow.comm, sizeof(event.flow.comm)) != 0)
      return false;
    if (cgroup && !cgroup->Contains(event.cgroup)) return false;
    if (!reason.empty() && ReasonWord(event.decision.reason) != reason) return false;
    return !to || (event.flow.operation != SRCSEL_CREATE && to->Contains(DestinationOf(event)));
  }
};

absl::StatusOr<Filter> FilterOf(const TraceOptions &options) {
  Filter filter{options.pid, options.comm, options.reason, std::nullopt, std::nullopt};
  if (!options.comm.empty()) SRCSEL_RETURN_IF_ERROR(CommOfWord(options.comm).status());
  if (!options.to.empty()) {
    SRCSEL_ASSIGN_OR_RETURN(const Prefix to, Prefix::Parse(options.to));
    filter.to = Unmapped(to);
  }
  if (options.reason.empty()) return filter;
  const std::vector<std::string> known = ReasonWords();
  if (std::ranges::find(known, options.reason) != known.end()) return filter;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", options.reason, "' is not a reason; there is: ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<Fd> CatchSignals() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends, number);
  Fd signals(signalfd(-1, &ends, SFD_CLOEXEC));
  if (!signals || sigprocmask(SIG_BLOCK, &ends, nullptr) != 0)
    return absl::ErrnoToStatus(errno, "catch signals");
  return signals;
}

// When the system was booted, since 1970.
std::int64_t BootTime() {
  timespec now, up;
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(CLOCK_BOOTTIME, &up);
  return (now.tv_sec - up.tv_sec) * std::int64_t{1'000'000'000} + now.tv_nsec - up.tv_nsec;
}

class Tracer {
 public:
  Tracer(const TraceOptions &options, Filter filter, UpEvents events)
      : options_(options),
        filter_(std::move(filter)),
        events_(std::move(events)),
        boot_ns_(BootTime()) {}

  // Until a signal, the count, or the end of what is up.
  absl::Status Run(const Fd &signals) {
    for (;;) {
      pollfd polled[] = {
          {events_.fd(), POLLIN, 0}, {signals.get(), POLLIN, 0}, {events_.end_fd(), POLLIN, 0}};
      if (poll(polled, std::size(polled), -1) < 0 && errno != EINTR)
        return absl::ErrnoToStatus(errno, "wait for events");
      SRCSEL_RETURN_IF_ERROR(Print());
      if (polled[1].revents != 0 || (options_.count != 0 && printed_ >= options_.count))
        return absl::OkStatus();
      if (polled[2].revents != 0)
        return absl::UnavailableError("no more decisions: it has been taken down");
    }
  }

  void Conclude() const {
    if (options_.summary) Summarize();
    if (const std::uint64_t missed = events_.Missed(); missed != 0)
      Say(absl::StrCat("missed ", missed, " decisions: they came faster than they were written"));
  }

 private:
  absl::Status Print() {
    std::string text;
    for (const srcsel_event &event : events_.Read()) {
      if (!filter_.Passes(event) || (options_.count != 0 && printed_ >= options_.count)) continue;
      ++printed_;
      const std::string rule = events_.RuleOf(event);
      if (options_.summary) ++summary_[{rule, std::string(ReasonWord(event.decision.reason))}];
      text += options_.json ? JsonLine(DecisionJson(event, rule, boot_ns_))
                            : DecisionLine(event, rule, boot_ns_) + "\n";
    }
    return WriteOut(text);
  }

  void Summarize() const {
    for (const auto &[key, count] : summary_)
      std::cerr << absl::StreamFormat("%10d %-14s %s\n", count, key.second, Printable(key.first));
  }

  const TraceOptions &options_;
  Filter filter_;
  UpEvents events_;
  const std::int64_t boot_ns_;
  std::uint64_t printed_ = 0;
  std::map<std::pair<std::string, std::string>, std::uint64_t> summary_;
};

absl::Status Trace(const TraceOptions &options) {
  SRCSEL_ASSIGN_OR_RETURN(Filter filter, FilterOf(options));
  SRCSEL_RETURN_IF_ERROR(WantRoot(kNotToBeSeen));
  if (!options.cgroup.empty()) {
    SRCSEL_ASSIGN_OR_RETURN(filter.cgroup, CgroupSubtree::Open(options.cgroup));
  }
  SRCSEL_ASSIGN_OR_RETURN(const Fd signals, CatchSignals());
  SRCSEL_ASSIGN_OR_RETURN(UpEvents events, UpEvents::Open(UpPaths::Get(), options.all));
  if (!options.quiet) Say("tracing; ^C ends it");
  Tracer tracer(options, std::move(filter), std::move(events));
  absl::Status status = tracer.Run(signals);
  tracer.Conclude();
  return status;
}

}  // namespace

void AddTrace(CLI::App &app) {
  CLI::App *trace = app.add_subcommand("trace", "Print decisions as they are taken");
  auto options = std::make_shared<TraceOptions>();
  trace->add_flag("-j,--json", options->json, "Print JSON, an object a line");
  trace->add_flag("-a,--all", options->all, "Also decisions that change nothing");
  trace->add_option("--pid", options->pid, "Of this process alone")
      ->type_name("PID")
      ->check(NumberFrom(1, std::numeric_limits<pid_t>::max()));
  trace->add_option("--comm", options->comm, "Of threads of this name")->type_name("NAME");
  trace->add_option("--cgroup", options->cgroup, "Of this cgroup and those below it")
      ->type_name("PATH");
  trace->add_option("--to", options->to, "To these destinations")->type_name("PREFIX");
  trace->add_option("--reason", options->reason, "For this reason")->type_name("REASON");
  trace->add_option("-n,--count", options->count, "End after so many")
      ->type_name("N")
      ->check(NumberFrom(1, std::uint64_t{1} << 40));
  trace->add_flag("--summary", options->summary, "At the end, how many by rule and reason");
  trace->add_flag("-q,--quiet", options->quiet, "No line on stderr when it begins");
  trace->footer(kTraceText);
  trace->callback([options] {
    const absl::Status status = Trace(*options);
    if (!status.ok()) Fail(status);
    std::exit(0);
  });
}

}  // namespace srcsel
