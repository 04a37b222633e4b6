// bench_trace [--json FILE] [--benchmark_...]: how many decisions `srcsel trace` prints in a second
// of CPU, as text and as JSON.
//
// A ring as the hooks' is filled by a program in the kernel, outside of what is measured. Measured
// is what a trace does then: it reads all of it, makes a line of each decision, and writes them,
// here to /dev/null. Who makes fewer decisions in a second than that misses none, if the trace has
// a CPU.

#include <fcntl.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "base/printable.hh"
#include "base/status.hh"
#include "bench/google.hh"
#include "fill.skel.h"
#include "hooks/event_ring.hh"
#include "srcsel/decision_text.hh"
#include "srcsel/json_text.hh"

namespace srcsel::bench {
namespace {

constexpr std::uint32_t kDecisions = 4000;  // of 248 bytes in 2^20
constexpr char kRule[] = "/etc/srcsel/srcsel.toml:12";

// curl's, to 192.0.2.80:443 with mark 0x64 and source 10.1.0.1.
srcsel_event Decision() {
  srcsel_event event{};
  event.time_ns = 1'234'567'890;
  event.socket = 77;
  event.pid = event.tid = 12345;
  event.flow.dst.hi = std::uint64_t{0xc0000250} << 32;
  event.flow.dport = 443;
  event.flow.proto = IPPROTO_TCP;
  std::strcpy(event.flow.comm, "curl");
  event.decision.reason = SRCSEL_WHY_SOURCE;
  event.decision.apply = SRCSEL_APPLY_MARK | SRCSEL_APPLY_SOURCE;
  event.decision.mark = 0x64;
  event.decision.mark_mask = 0xffffffff;
  const std::uint8_t source[] = {10, 1, 0, 1};
  std::memcpy(event.decision.source, source, sizeof(source));
  event.decision.generation = 1;
  return event;
}

class FullRing {
 public:
  static absl::StatusOr<FullRing> Make() {
    Program program(fill_bpf__open_and_load(), &fill_bpf__destroy);
    if (!program) return absl::ErrnoToStatus(errno, "load the program that fills the ring");
    const srcsel_event decision = Decision();
    std::memcpy(program->bss->fill_event, &decision, sizeof(decision));
    program->bss->fill_count = kDecisions;
    SRCSEL_ASSIGN_OR_RETURN(EventRing ring,
                            EventRing::Open(bpf_map__fd(program->maps.fill_events)));
    return FullRing(std::move(program), std::move(ring));
  }

  absl::Status Fill() {
    LIBBPF_OPTS(bpf_test_run_opts, options);
    if (bpf_prog_test_run_opts(bpf_program__fd(program_->progs.fill), &options) != 0)
      return absl::ErrnoToStatus(errno, "fill the ring");
    if (program_->bss->fill_refused != 0) return absl::InternalError("the ring was not empty");
    return absl::OkStatus();
  }
  std::vector<srcsel_event> Read() { return ring_.Read(); }

 private:
  using Program = std::unique_ptr<fill_bpf, decltype(&fill_bpf__destroy)>;
  FullRing(Program program, EventRing ring)
      : program_(std::move(program)), ring_(std::move(ring)) {}

  Program program_;
  EventRing ring_;
};

std::string Line(const srcsel_event &event, bool json) {
  return json ? JsonLine(DecisionJson(event, kRule, 0)) : DecisionLine(event, kRule, 0) + "\n";
}

absl::StatusOr<std::size_t> Print(FullRing &ring, bool json, const Fd &null) {
  std::string text;
  const std::vector<srcsel_event> events = ring.Read();
  for (const srcsel_event &event : events) text += Line(event, json);
  const std::string printable = PrintableLines(text);
  if (write(null.get(), printable.data(), printable.size()) < 0)
    return absl::ErrnoToStatus(errno, "write to /dev/null");
  return events.size();
}

absl::Status Measure(benchmark::State &state, bool json) {
  SRCSEL_ASSIGN_OR_RETURN(FullRing ring, FullRing::Make());
  const Fd null(open("/dev/null", O_WRONLY | O_CLOEXEC));
  std::size_t printed = 0;
  for (auto _ : state) {
    state.PauseTiming();
    SRCSEL_RETURN_IF_ERROR(ring.Fill());
    state.ResumeTiming();
    SRCSEL_ASSIGN_OR_RETURN(const std::size_t some, Print(ring, json, null));
    printed += some;
  }
  if (printed != static_cast<std::size_t>(state.iterations()) * kDecisions)
    return absl::InternalError("not all decisions were read");
  state.SetItemsProcessed(static_cast<std::int64_t>(printed));
  return absl::OkStatus();
}

void Register(const char *name, bool json) {
  benchmark::RegisterBenchmark(name, [json](benchmark::State &state) {
    const absl::Status status = Measure(state, json);
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
  })->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace srcsel::bench

int main(int argc, char **argv) {
  srcsel::bench::Register("trace/text", false);
  srcsel::bench::Register("trace/json", true);
  return srcsel::bench::RunRegistered(argc, argv);
}
