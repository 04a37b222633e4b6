#include "agent/upkeep.hh"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/notify.hh"
#include "agent/own_rules.hh"
#include "agent/publish_image.hh"
#include "agent/resolve.hh"
#include "agent/trial.hh"
#include "agent/up_status.hh"
#include "agent/way.hh"
#include "base/status.hh"
#include "policy/words.hh"

namespace srcsel {
namespace {

// What the kernel does not announce is looked at so often; what failed is tried again.
constexpr std::chrono::milliseconds kLookAround{1000};
// Of a firewall that changes all the time, changes are taken together: no more than half of a CPU
// goes into it, and they come no closer than that.
constexpr std::chrono::milliseconds kRest{20};

// What this thread has worked. Who publishes an image waits for RCU too, which takes the longer the
// more others do.
std::chrono::nanoseconds Worked() {
  timespec worked;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
  return std::chrono::seconds(worked.tv_sec) + std::chrono::nanoseconds(worked.tv_nsec);
}

absl::StatusOr<Fd> CatchSignals() {
  sigset_t ends;
  sigemptyset(&ends);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&ends, number);
  Fd signals(signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals || sigprocmask(SIG_BLOCK, &ends, nullptr) != 0)
    return absl::ErrnoToStatus(errno, "catch signals");
  return signals;
}

std::vector<std::string> NamesOf(const Policy &policy) {
  std::vector<std::string> names;
  for (const PolicyRule &rule : policy.rules) names.push_back(rule.name);
  return names;
}

std::vector<std::vector<std::string>> SourceWordsOf(const Policy &policy) {
  std::vector<std::vector<std::string>> all;
  for (const PolicyRule &rule : policy.rules) {
    std::vector<std::string> &words = all.emplace_back();
    for (const Source &source : SourcesOf(rule)) words.push_back(ToString(source));
  }
  return all;
}

std::vector<std::string> LacksOf(const Policy &policy) {
  std::vector<std::string> lacks;
  for (const PolicyRule &rule : policy.rules)
    for (const Lack &lack : rule.lacks) lacks.push_back(absl::StrCat(rule.name, ": ", lack.why));
  return lacks;
}

// Monotonic: a manager tells by it which READY belongs to a RELOADING.
std::string Reloading() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::StrCat("RELOADING=1\nMONOTONIC_USEC=",
                      std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Upkeep>> Upkeep::Begin(std::unique_ptr<Up> up,
                                                      std::optional<std::chrono::seconds> trial) {
  SRCSEL_ASSIGN_OR_RETURN(Fd signals, CatchSignals());
  SRCSEL_ASSIGN_OR_RETURN(ControlSocket control, ControlSocket::Listen(up->paths));
  std::unique_ptr<Upkeep> upkeep(new Upkeep(std::move(up), std::move(control), std::move(signals)));
  UpState &state = upkeep->up_->state;
  state.pid = getpid();
  SRCSEL_ASSIGN_OR_RETURN(state.started, OwnStart());
  state.version = SRCSEL_RELEASE;
  state.abi = SRCSEL_ABI_VERSION;
  if (trial) {
    upkeep->trial_ends_ = Clock::now() + *trial;
    state.until = absl::Now() + absl::FromChrono(*trial);
    state.trial = static_cast<std::uint32_t>(trial->count());
  }
  // Whoever listened to hooks taken over has gone with their process.
  upkeep->up_->hooks.Tell(Hooks::Told::kNone);
  SRCSEL_RETURN_IF_ERROR(upkeep->WriteDown());
  if (trial) SRCSEL_RETURN_IF_ERROR(StartTrialGuard(upkeep->up_->paths, state));
  return upkeep;
}

absl::Status Upkeep::Run() {
  Notify("READY=1");
  while (!ended_) {
    // A negative descriptor is passed over.
    pollfd polled[] = {{up_->mirror.fd(), POLLIN, 0},
                       {control_.fd(), POLLIN, 0},
                       {signals_.get(), POLLIN, 0},
                       {reader_.get(), POLLIN, 0},
                       {up_->marks.fd(), POLLIN, 0}};
    poll(polled, std::size(polled), Patience());
    if (trial_ends_ && Clock::now() >= *trial_ends_) {
      ended_ = End();
      break;
    }
    if (LookAround() || polled[0].revents) Follow();
    if (polled[4].revents) up_->marks.Hear();
    if (const auto due = FirewallDue(); due && Clock::now() >= *due) FollowFirewall();
    if (polled[3].revents) {
      reader_.reset();
      up_->hooks.Tell(Hooks::Told::kNone);
    }
    if (polled[1].revents) HearCaller();
    if (polled[2].revents && !ended_) HearSignal();
  }
  return *ended_;
}

int Upkeep::Patience() const {
  const Clock::time_point now = Clock::now();
  Clock::time_point until = std::min(look_, look_at_firewall_);
  for (const auto &moment : {trial_ends_, FirewallDue()})
    if (moment) until = std::min(until, *moment);
  return static_cast<int>(
      std::chrono::ceil<std::chrono::milliseconds>(std::max(until, now) - now).count());
}

std::optional<Upkeep::Clock::time_point> Upkeep::FirewallDue() const {
  const auto due = up_->marks.due();
  if (!due) return retry_;
  return std::max(*due, rested_);
}

// Whether it was time to look at routes too.
bool Upkeep::LookAround() {
  const Clock::time_point now = Clock::now();
  if (now >= look_at_firewall_) {
    up_->marks.LookAround();
    look_at_firewall_ = Clock::now() + up_->marks.look_interval();
  }
  if (now < look_) return false;
  look_ = now + kLookAround;
  up_->mirror.LookAround().IgnoreError();
  return true;
}

void Upkeep::Follow() {
  const absl::Status status = up_->mirror.Follow(up_->policy, up_->hooks);
  stale_routes_ = std::string(status.message());
  up_->marks.NoteRoutes(up_->mirror);
  NoteTrouble();
}

void Upkeep::NoteTrouble() {
  const std::string &stale = stale_routes_.empty() ? stale_firewall_ : stale_routes_;
  if (stale == up_->state.stale && up_->mirror.image()->header().generation == written_ &&
      up_->state.lacks == LacksOf(up_->mirror.policy()))
    return;
  up_->state.stale = stale;
  WriteDown().IgnoreError();
}

// What could not be put in force is tried again.
void Upkeep::Retry(const absl::Status &status) {
  retry_.reset();
  if (!status.ok()) retry_ = Clock::now() + kLookAround;
  stale_firewall_ = std::string(status.message());
  NoteTrouble();
}

// The file stays as it was read last: it is not read anew because of the firewall.
void Upkeep::FollowFirewall() {
  const std::chrono::nanoseconds before = Worked();
  up_->marks.Update(up_->from_file, up_->mirror);
  Examined examined;
  absl::StatusOr<Resolution> file =
      Resolve(up_->from_file, up_->mirror.state(), up_->mirror.advice(), up_->mirror.policy());
  absl::Status status = file.status();
  if (file.ok()) {
    examined = {up_->from_file, std::move(file->policy), {}, std::move(file->wanted)};
    status = PutInForce(std::move(examined));
  }
  Retry(status);
  rested_ = Clock::now() + std::max(Worked() - before, std::chrono::nanoseconds(kRest));
}

void Upkeep::HearSignal() {
  signalfd_siginfo signal;
  if (read(signals_.get(), &signal, sizeof(signal)) != sizeof(signal)) return;
  if (signal.ssi_signo == SIGHUP)
    Reload("");
  else
    ended_ = End();
}

void Upkeep::HearCaller() {
  absl::StatusOr<ControlSocket::Caller> caller = control_.Accept();
  if (!caller.ok()) return;
  ControlAnswer answer = Do(*caller);
  answer.rules = up_->policy.rules.size();
  answer.generation = up_->mirror.image()->header().generation;
  ControlSocket::Answer(caller->connection ? caller->connection : reader_, answer);
}

ControlAnswer Upkeep::Do(ControlSocket::Caller &caller) {
  switch (caller.request.verb) {
    case ControlRequest::Verb::kReload:
      return Reload(caller.request.policy);
    case ControlRequest::Verb::kConfirm:
      return Confirm();
    case ControlRequest::Verb::kDown:
      ended_ = End();
      return {.status = *ended_};
    case ControlRequest::Verb::kTrace:
      return Listen(caller);
  }
  return {.status = absl::UnimplementedError("the running srcsel does not know that verb")};
}

ControlAnswer Upkeep::Reload(const std::string &file) {
  Notify(Reloading());
  ControlAnswer answer;
  answer.status = Reload({file.empty() ? up_->source.file : file}, answer.findings);
  Notify("READY=1");
  return answer;
}

absl::Status Upkeep::Reload(const UpPolicy &source, Findings &findings) {
  SRCSEL_RETURN_IF_ERROR(CheckHooks());
  Follow();
  SRCSEL_ASSIGN_OR_RETURN(Examined examined,
                          Examine(source, up_->mirror.state(), up_->mirror.advice()));
  findings = std::move(examined.findings);
  if (HasErrors(findings)) return absl::OkStatus();
  Policy before = std::exchange(up_->from_file, examined.written);
  up_->marks.Read(up_->from_file, up_->mirror);
  const absl::Status status = PutInForce(std::move(examined));
  if (!status.ok()) {
    up_->from_file = std::move(before);
    Retry(status);
    return status;
  }
  up_->source = source;
  up_->state.policy_since = absl::Now();
  Retry(WriteDown());
  return up_->hooks.ForgetTallies();
}

// What is published is in force only where the hooks are.
absl::Status Upkeep::CheckHooks() const {
  SRCSEL_ASSIGN_OR_RETURN(const UpStatus status, ReadUpStatus(up_->paths));
  const UpTrouble trouble = status.HookTrouble();
  if (trouble.what.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the policy is not in force, nor was it read: ", trouble.ToString()));
}

absl::Status Upkeep::PutInForce(Examined examined) {
  const std::vector<std::string> names = NamesOf(up_->policy);
  SRCSEL_RETURN_IF_ERROR(AddMarks(up_->marks.policy(), up_->mirror.state(), examined));
  // What either policy wants is there while they change.
  if (up_->state.steered) SRCSEL_RETURN_IF_ERROR(AddOwnRules(examined.wanted, RuleOwner::kUp));
  SRCSEL_RETURN_IF_ERROR(up_->mirror.Publish(std::move(examined.resolved), up_->hooks));
  if (up_->state.steered) SRCSEL_RETURN_IF_ERROR(MakeOwnRules(examined.wanted, RuleOwner::kUp));
  up_->policy = std::move(examined.written);
  if (NamesOf(up_->policy) != names) SRCSEL_RETURN_IF_ERROR(up_->hooks.ForgetTallies());
  return WriteDown();
}

ControlAnswer Upkeep::Confirm() {
  if (!trial_ends_) return {.status = absl::FailedPreconditionError("there is nothing to confirm")};
  trial_ends_.reset();
  up_->state.until = absl::InfiniteFuture();
  up_->state.trial = 0;
  return {.status = WriteDown()};
}

ControlAnswer Upkeep::Listen(ControlSocket::Caller &caller) {
  if (reader_) return {.status = absl::AlreadyExistsError("another srcsel trace is reading")};
  reader_ = std::move(caller.connection);
  up_->hooks.Tell(caller.request.all ? Hooks::Told::kAll : Hooks::Told::kEffective);
  return {};
}

absl::Status Upkeep::End() {
  Notify("STOPPING=1");
  return TakeDown(up_->paths, up_->run);
}

absl::Status Upkeep::WriteDown() {
  const Image &image = *up_->mirror.image();
  const std::uint64_t generation = image.header().generation;
  absl::Status published;
  if (generation != written_) published = PublishImage(up_->run, "image", image.bytes(), 0644);
  if (published.ok()) written_ = generation;
  up_->state.generation = generation;
  up_->state.policy = up_->source.file;
  up_->state.rules = NamesOf(up_->policy);
  up_->state.sources = SourceWordsOf(up_->policy);
  up_->state.limits = up_->marks.Limits();
  up_->state.lacks = LacksOf(up_->mirror.policy());
  const absl::Status state = WriteUpState(up_->run, up_->state);
  return published.ok() ? state : published;
}

}  // namespace srcsel
