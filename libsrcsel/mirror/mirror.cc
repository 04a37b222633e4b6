#include <unistd.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "base/status.hh"
#include "lookup/select.hh"
#include "mirror/follow_thread.hh"
#include "mirror/place.hh"
#include "mirror/tracker.hh"
#include <srcsel/mirror.hh>

namespace srcsel {
namespace {

absl::Status Closed() {
  return absl::FailedPreconditionError("the mirror was opened before fork(): call Reopen()");
}

}  // namespace

class Mirror::Core {
 public:
  Core(Place place, bool threadless) : place_(std::move(place)), threadless_(threadless) {}
  ~Core() { Stop(); }
  Core(const Core &) = delete;
  Core &operator=(const Core &) = delete;

  absl::Status Start() {
    SRCSEL_ASSIGN_OR_RETURN(std::unique_ptr<Tracker> tracker, Tracker::Open(place_));
    std::unique_ptr<FollowThread> thread;
    if (!threadless_) {
      SRCSEL_ASSIGN_OR_RETURN(thread, FollowThread::Start(*tracker));
    }
    Stop();
    tracker_ = std::move(tracker);
    thread_ = std::move(thread);
    pid_ = getpid();
    return absl::OkStatus();
  }

  // Whether this process is the one that started.
  bool started() const { return pid_ == getpid(); }
  bool threadless() const { return threadless_; }
  Tracker *tracker() const { return tracker_.get(); }

 private:
  void Stop() {
    if (thread_ && pid_ != getpid()) {
      // The thread is the parent's, and may have been anywhere in these.
      static_cast<void>(thread_.release());
      static_cast<void>(tracker_.release());
    }
    thread_.reset();
    tracker_.reset();
  }

  const Place place_;
  const bool threadless_;
  pid_t pid_ = 0;
  std::unique_ptr<Tracker> tracker_;
  std::unique_ptr<FollowThread> thread_;
};

Mirror::Mirror(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Mirror::~Mirror() = default;

absl::StatusOr<std::unique_ptr<Mirror>> Mirror::Open(const MirrorOptions &options) {
  SRCSEL_ASSIGN_OR_RETURN(Place place, Place::Of(options.netns));
  auto core = std::make_unique<Core>(std::move(place), options.threadless);
  SRCSEL_RETURN_IF_ERROR(core->Start());
  return absl::WrapUnique(new Mirror(std::move(core)));
}

absl::StatusOr<Selection> Mirror::Select(const Flow &flow) const {
  const auto snapshot = core_->tracker()->snapshot().Read();
  if (!snapshot) return Closed();
  return srcsel::Select(*snapshot, flow);
}

absl::StatusOr<Selection> Mirror::Lookup(const Flow &flow) const {
  const auto snapshot = core_->tracker()->snapshot().Read();
  if (!snapshot) return Closed();
  return srcsel::Lookup(*snapshot, flow);
}

absl::StatusOr<std::string> Mirror::LinkName(std::uint32_t index) const {
  const auto snapshot = core_->tracker()->snapshot().Read();
  if (!snapshot) return Closed();
  const Link *link = snapshot->FindLink(index);
  if (link == nullptr) return absl::NotFoundError(absl::StrCat("find interface ", index));
  return link->name;
}

std::uint64_t Mirror::generation() const {
  const auto snapshot = core_->tracker()->snapshot().Read();
  return snapshot ? snapshot->generation() : 0;
}

bool Mirror::current() const {
  return core_->tracker()->snapshot().Read() && core_->tracker()->current();
}

MirrorStatus Mirror::status() const {
  const auto status = core_->tracker()->health().Read();
  return status ? *status : MirrorStatus{Closed()};
}

int Mirror::fd() const {
  return core_->threadless() && core_->started() ? core_->tracker()->fd() : -1;
}

absl::Status Mirror::Process() {
  if (!core_->started()) return Closed();
  if (!core_->threadless())
    return absl::FailedPreconditionError("process changes: the mirror has a thread of its own");
  core_->tracker()->Process();
  return status().status;
}

absl::Status Mirror::Reopen() {
  return core_->started() ? absl::OkStatus() : core_->Start();
}

}  // namespace srcsel
