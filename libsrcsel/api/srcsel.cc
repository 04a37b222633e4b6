#include <cstdlib>
#include <memory>
#include <utility>

#include "api/convert.hh"
#include "api/error.hh"
#include "api/explain.hh"
#include "api/prepare.hh"
#include "api/structs.hh"
#include <srcsel/mirror.hh>
#include <srcsel/srcsel.h>

struct srcsel_mirror {
  std::unique_ptr<srcsel::Mirror> mirror;
};

namespace {

using namespace srcsel;       // NOLINT(google-build-using-namespace): the C API has no namespace
using namespace srcsel::api;  // NOLINT(google-build-using-namespace)

int NoHandle() {
  return Refuse(EBADF, "the mirror is NULL: never opened, or closed");
}

// 0 or -errno of Process() and status().
int Report(const absl::Status &status) {
  return status.ok() ? 0 : Refuse(status);
}

using Ask = absl::StatusOr<Selection> (Mirror::*)(const Flow &) const;

int Answer(Ask ask, const srcsel_mirror *mirror, const srcsel_question *question,
           srcsel_answer *answer) {
  if (mirror == nullptr) return NoHandle();
  srcsel_question asked;
  srcsel_answer ours;
  if (const int error = TakeIn(question, kShortestQuestion, "question", asked)) return error;
  if (const int error = TakeIn(answer, kShortestAnswer, "answer", ours)) return error;
  Flow flow;
  if (const int error = ToFlow(asked, flow)) return error;
  const absl::StatusOr<Selection> selection = (*mirror->mirror.*ask)(flow);
  if (!selection.ok()) return Refuse(selection.status());
  ToAnswer(*mirror->mirror, *selection, ours);
  GiveBack(ours, answer);
  return 0;
}

}  // namespace

uint32_t srcsel_version(void) {
  return SRCSEL_VERSION;
}

const char *srcsel_last_error(void) {
  return LastError();
}

int srcsel_open(const srcsel_open_options *options, srcsel_mirror **mirror) {
  return Guarded([&] {
    srcsel_open_options ours{};
    if (mirror == nullptr) return Refuse(EINVAL, "open a mirror: nowhere to put it");
    if (options != nullptr)
      if (const int error = TakeIn(options, kShortestOpenOptions, "open options", ours))
        return error;
    if (ours.flags & ~SRCSEL_THREADLESS) return Refuse(EINVAL, "open a mirror: unknown flags");
    auto opened = Mirror::Open({.netns = ours.netns == nullptr ? "" : ours.netns,
                                .threadless = (ours.flags & SRCSEL_THREADLESS) != 0});
    if (!opened.ok()) return Refuse(opened.status());
    *mirror = std::make_unique<srcsel_mirror>(srcsel_mirror{*std::move(opened)}).release();
    return 0;
  });
}

void srcsel_close(srcsel_mirror **mirror) {
  if (mirror != nullptr) delete std::exchange(*mirror, nullptr);
}

int srcsel_reopen(srcsel_mirror *mirror) {
  return Guarded([&] { return mirror == nullptr ? NoHandle() : Report(mirror->mirror->Reopen()); });
}

int srcsel_fd(const srcsel_mirror *mirror) {
  return Guarded([&] {
    if (mirror == nullptr) return NoHandle();
    const int fd = mirror->mirror->fd();
    if (fd >= 0) return fd;
    if (mirror->mirror->generation() == 0) return Refuse(mirror->mirror->status().status);
    return Refuse(EOPNOTSUPP, "the mirror has a thread of its own, and nothing to wait for");
  });
}

int srcsel_process(srcsel_mirror *mirror) {
  return Guarded([&] {
    if (const int fd = srcsel_fd(mirror); fd < 0) return fd;
    return Report(mirror->mirror->Process());
  });
}

uint64_t srcsel_generation(const srcsel_mirror *mirror) {
  return mirror == nullptr ? 0 : mirror->mirror->generation();
}

int srcsel_current(const srcsel_mirror *mirror) {
  return mirror == nullptr ? NoHandle() : static_cast<int>(mirror->mirror->current());
}

int srcsel_status(const srcsel_mirror *mirror, int64_t *since) {
  return Guarded([&] {
    if (mirror == nullptr) return NoHandle();
    const MirrorStatus status = mirror->mirror->status();
    if (since != nullptr)
      *since = std::chrono::nanoseconds(status.since.time_since_epoch()).count();
    return Report(status.status);
  });
}

int srcsel_select(const srcsel_mirror *mirror, const srcsel_question *question,
                  srcsel_answer *answer) {
  return Guarded([&] { return Answer(&Mirror::Select, mirror, question, answer); });
}

int srcsel_lookup(const srcsel_mirror *mirror, const srcsel_question *question,
                  srcsel_answer *answer) {
  return Guarded([&] { return Answer(&Mirror::Lookup, mirror, question, answer); });
}

int srcsel_explain(const srcsel_mirror *mirror, const srcsel_question *question, uint32_t format,
                   char **text) {
  return Guarded([&] {
    if (mirror == nullptr) return NoHandle();
    if (text == nullptr) return Refuse(EINVAL, "explain: nowhere to put the text");
    if (format != SRCSEL_TEXT && format != SRCSEL_JSON)
      return Refuse(EINVAL, "explain: neither text nor JSON");
    srcsel_question asked;
    if (const int error = TakeIn(question, kShortestQuestion, "question", asked)) return error;
    Flow flow;
    if (const int error = ToFlow(asked, flow)) return error;
    const absl::StatusOr<Selection> selection = mirror->mirror->Select(flow);
    if (!selection.ok()) return Refuse(selection.status());
    const auto explain = format == SRCSEL_JSON ? ExplainJson : ExplainText;
    char *copy = strdup(explain(*mirror->mirror, flow, *selection).c_str());
    if (copy == nullptr) throw std::bad_alloc();
    *text = copy;
    return 0;
  });
}

void srcsel_free(char *text) {
  free(text);  // NOLINT(cppcoreguidelines-no-malloc): strdup()'s
}

int srcsel_prepare(const srcsel_mirror *mirror, int fd, const sockaddr *destination,
                   socklen_t destination_size, const srcsel_prepare_options *options,
                   srcsel_answer *answer) {
  return Guarded([&] {
    if (mirror == nullptr) return NoHandle();
    srcsel_sockaddr to{};
    if (destination == nullptr || destination_size < sizeof(to.v4))
      return Refuse(EINVAL, "prepare a socket: no destination");
    std::memcpy(&to, destination, std::min<std::size_t>(destination_size, sizeof(to)));
    if (to.any.sa_family == AF_INET6 && destination_size < sizeof(to.v6))
      return Refuse(EINVAL, "prepare a socket: half a destination");
    srcsel_prepare_options ours{};
    srcsel_answer told{};
    if (options != nullptr)
      if (const int error = TakeIn(options, kShortestPrepareOptions, "prepare options", ours))
        return error;
    if (answer != nullptr)
      if (const int error = TakeIn(answer, kShortestAnswer, "answer", told)) return error;
    const Preparation done = Prepare(*mirror->mirror, fd, to, ours, answer != nullptr);
    if (done.set < 0 || answer == nullptr) return done.set;
    ToAnswer(*mirror->mirror, done.selection, told);
    GiveBack(told, answer);
    return done.set;
  });
}
