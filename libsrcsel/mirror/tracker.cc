#include "mirror/tracker.hh"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <utility>

#include "absl/memory/memory.h"
#include "base/netns.hh"
#include "base/status.hh"

namespace srcsel {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kQuiet{1}, kBurst{10};
constexpr milliseconds kLookAround{1000};
constexpr milliseconds kFirstPatience{100}, kMostPatience{3200};
// Of the kernel's expiry times. For a tick on either side of its end a route looks as if it had
// none.
constexpr milliseconds kTick{10};
constexpr int kReadings = 4;

absl::Status Watch(const Fd &epoll, int fd) {
  epoll_event readable{};
  readable.events = EPOLLIN;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &readable) != 0)
    return absl::ErrnoToStatus(errno, "wait for a change of routing");
  return absl::OkStatus();
}

// Until the first IPv6 route is sure to be listed as expired.
std::optional<milliseconds> FirstExpiry(const State &state) {
  std::optional<milliseconds> first;
  for (const RouteTerms &terms : state.routes.terms())
    if (terms.expires && *terms.expires > 0) {
      const milliseconds left = (*terms.expires + 3) * kTick;
      first = std::min(first.value_or(left), left);
    }
  return first;
}

template <typename Due, typename Time>
bool Reached(const Due &due, Time now) {
  return due && *due <= now;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tracker>> Tracker::Open(const Place &place) {
  Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  Fd timer(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!epoll || !timer) return absl::ErrnoToStatus(errno, "prepare to wait for routing changes");
  SRCSEL_RETURN_IF_ERROR(Watch(epoll, timer.get()));
  auto tracker = absl::WrapUnique(new Tracker(place, std::move(epoll), std::move(timer)));
  SRCSEL_RETURN_IF_ERROR(tracker->Attach());
  tracker->Arm();
  return tracker;
}

void Tracker::Process() {
  std::uint64_t expirations;
  while (read(timer_.get(), &expirations, sizeof(expirations)) < 0 && errno == EINTR) {
  }
  absl::Status advanced;
  try {
    advanced = Advance();
  } catch (const std::bad_alloc &) {
    advanced = absl::ResourceExhaustedError("follow routing: out of memory");
  }
  if (!advanced.ok()) Fail(advanced);
  Arm();
}

absl::Status Tracker::Advance() {
  const auto now = Clock::now();
  if (!sources_) return Reached(attach_, now) ? Attach() : absl::OkStatus();
  SRCSEL_RETURN_IF_ERROR(Hear());
  if (Reached(look_around_, now)) {
    SRCSEL_RETURN_IF_ERROR(LookAround());
  }
  if (Reached(expiry_, now)) {
    expiry_.reset();
    unread_.routing = true;
    return Read();
  }
  return Reached(read_, now) ? Read() : absl::OkStatus();
}

absl::Status Tracker::Attach() {
  SRCSEL_ASSIGN_OR_RETURN(Fd netns, place_.Open());
  SRCSEL_RETURN_IF_ERROR(CallInNetns(netns, [&]() -> absl::Status {
    SRCSEL_ASSIGN_OR_RETURN(Follower follower, Follower::Open());
    SRCSEL_ASSIGN_OR_RETURN(StateReader reader, StateReader::Open());
    sources_.emplace(Sources{std::move(netns), std::move(follower), std::move(reader)});
    return absl::OkStatus();
  }));
  SRCSEL_RETURN_IF_ERROR(Watch(epoll_, sources_->follower.fd()));
  unread_ = {.routing = true, .neighbours = true};
  SRCSEL_RETURN_IF_ERROR(Read());
  health_.Replace(std::make_unique<const MirrorStatus>());
  look_around_ = Clock::now() + kLookAround;
  attach_.reset();
  patience_ = kFirstPatience;
  return absl::OkStatus();
}

absl::Status Tracker::Hear() {
  SRCSEL_ASSIGN_OR_RETURN(const Changes changes, sources_->follower.Drain(gateways_));
  if (!changes.any()) return absl::OkStatus();
  current_.store(false, std::memory_order_release);
  unread_.routing |= changes.routing;
  unread_.neighbours |= changes.neighbours;
  const auto now = Clock::now();
  if (!latest_read_) latest_read_ = now + kBurst;
  read_ = std::min(now + kQuiet, *latest_read_);
  return absl::OkStatus();
}

absl::Status Tracker::LookAround() {
  look_around_ = Clock::now() + kLookAround;
  SRCSEL_RETURN_IF_ERROR(place_.ExpectStill(sources_->netns));
  SRCSEL_ASSIGN_OR_RETURN(const bool differs,
                          sources_->reader.Differs(snapshot_.current()->state()));
  if (!differs) return absl::OkStatus();
  unread_.routing = true;
  read_ = Clock::now();
  return Read();
}

absl::Status Tracker::Read() {
  State state;
  if (!unread_.routing) state = snapshot_.current()->state();
  for (int readings = 1;; ++readings) {
    if (unread_.routing) {
      SRCSEL_ASSIGN_OR_RETURN(state, sources_->reader.Read());
    } else {
      SRCSEL_ASSIGN_OR_RETURN(state.neighbours, sources_->reader.ReadNeighbours());
    }
    gateways_ = Gateways(state);
    SRCSEL_ASSIGN_OR_RETURN(unread_, sources_->follower.Drain(gateways_));
    if (!unread_.any() || readings == kReadings) return Publish(std::move(state));
  }
}

absl::Status Tracker::Publish(State state) {
  const auto now = Clock::now();
  const std::uint64_t before = snapshot_.current() ? snapshot_.current()->generation() : 0;
  const std::optional<milliseconds> expiry = FirstExpiry(state);
  SRCSEL_ASSIGN_OR_RETURN(auto snapshot, Snapshot::Make(std::move(state), before + 1));
  snapshot_.Replace(std::move(snapshot));
  current_.store(!unread_.any(), std::memory_order_release);
  read_.reset();
  latest_read_.reset();
  if (unread_.any()) read_ = now + kQuiet;
  if (expiry) expiry_ = std::min(expiry_.value_or(now + *expiry), now + *expiry);
  return absl::OkStatus();
}

void Tracker::Fail(const absl::Status &status) {
  sources_.reset();
  current_.store(false, std::memory_order_release);
  const bool first = health_.current()->status.ok();
  health_.Replace(std::make_unique<const MirrorStatus>(
      MirrorStatus{status, first ? std::chrono::system_clock::now() : health_.current()->since}));
  read_.reset();
  latest_read_.reset();
  look_around_.reset();
  expiry_.reset();
  attach_ = Clock::now() + patience_;
  patience_ = std::min(2 * patience_, kMostPatience);
}

void Tracker::Arm() {
  collect_.reset();
  const bool collected = snapshot_.Collect() & health_.Collect();
  if (!collected) collect_ = Clock::now() + kBurst;
  auto first = Clock::time_point::max();
  for (const Due &due : {read_, look_around_, expiry_, attach_, collect_})
    if (due) first = std::min(first, *due);
  const auto since_boot = std::max(first.time_since_epoch(), Clock::duration(1));
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  itimerspec spec{};
  spec.it_value.tv_sec = seconds.count();
  spec.it_value.tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count();
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

}  // namespace srcsel
