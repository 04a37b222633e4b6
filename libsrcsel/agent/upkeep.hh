// The process that keeps an `up` true: follows the kernel, publishes what changes, does what the
// other verbs ask (control.hh), and goes when it is told to: by `down`, by SIGTERM or SIGINT, or by
// the end of a trial. Any of those takes the hooks down first. Killed, it leaves them as they are,
// but for a trial, which ends all the same (trial.hh).

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "agent/control.hh"
#include "agent/up.hh"
#include "base/fd.hh"

namespace srcsel {

class Upkeep {
 public:
  // In the process that is to run it: blocks the signals it ends by, listens, and writes down the
  // state and the image. `trial`: the time in which somebody must confirm.
  static absl::StatusOr<std::unique_ptr<Upkeep>> Begin(std::unique_ptr<Up> up,
                                                       std::optional<std::chrono::seconds> trial);

  // Until it is taken down; why that did not work.
  absl::Status Run();

 private:
  using Clock = std::chrono::steady_clock;

  Upkeep(std::unique_ptr<Up> up, ControlSocket control, Fd signals)
      : up_(std::move(up)), control_(std::move(control)), signals_(std::move(signals)) {}

  int Patience() const;
  std::optional<Clock::time_point> FirewallDue() const;
  bool LookAround();
  void Follow();
  void FollowFirewall();
  void Retry(const absl::Status &status);
  void NoteTrouble();
  void HearSignal();
  void HearCaller();
  ControlAnswer Do(ControlSocket::Caller &caller);
  ControlAnswer Reload(const std::string &file);
  absl::Status Reload(const UpPolicy &source, Findings &findings);
  absl::Status CheckHooks() const;
  absl::Status PutInForce(Examined examined);
  ControlAnswer Confirm();
  ControlAnswer Listen(ControlSocket::Caller &caller);
  absl::Status End();
  absl::Status WriteDown();

  std::unique_ptr<Up> up_;
  ControlSocket control_;
  Fd signals_;
  Fd reader_;  // of events: they are told as long as it is connected
  std::optional<Clock::time_point> trial_ends_;
  Clock::time_point look_{}, look_at_firewall_{};  // when it is time to
  Clock::time_point rested_{};                     // from the last change of the firewall
  std::optional<Clock::time_point> retry_;         // of a change of the firewall
  std::string stale_routes_, stale_firewall_;      // why what is in force may not be what they have
  std::uint64_t written_ = 0;                      // generation of the image in the file
  std::optional<absl::Status> ended_;
};

}  // namespace srcsel
