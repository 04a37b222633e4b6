// Cgroups that flows are sent from. All are below one that this process is in as long as there are
// any; they are threaded, so that each thread can be in one of its own.
//
// A row of seats is one trial's: one, another below it, one beside that, and the one they are in.
// What is attached to that one holds for the row alone, and is gone with it.
//
// Seats::Make() and the end of Seats are for when there is one thread. A row belongs to the thread
// that made it.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/fd.hh"
#include "draw_nft.hh"
#include "lab/cgroup.hh"

namespace srcsel {

class Seats {
 public:
  static absl::StatusOr<Seats> Make();
  Seats(Seats &&) = default;
  ~Seats();

  const std::string &path() const { return top_.path(); }
  const std::string &mount() const { return mount_; }

 private:
  Seats(lab::TestCgroup top, std::string mount, std::string before)
      : top_(std::move(top)), mount_(std::move(mount)), before_(std::move(before)) {}

  lab::TestCgroup top_;
  std::string mount_, before_;  // where the hierarchy is, and where this process was
};

class SeatRow {
 public:
  // The number is no other row's at the time.
  static absl::StatusOr<SeatRow> Make(const Seats &seats, std::uint32_t number);
  SeatRow(SeatRow &&other) noexcept;
  SeatRow &operator=(SeatRow &&) = delete;
  ~SeatRow();

  // From the root of the hierarchy, as netfilter's rules and policies have it.
  const std::vector<std::string> &paths() const { return paths_; }
  // The one that rules name; for nft too.
  const std::string &named() const { return paths_[1]; }
  NftCgroup ForNft() const;

  // The directory of the one that the others are in.
  absl::StatusOr<Fd> Open() const;

  // What the calling thread opens from now on belongs to that cgroup.
  absl::Status Sit(const std::string &path) const;

 private:
  explicit SeatRow(const Seats &seats) : seats_(seats) {}

  const Seats &seats_;
  std::vector<std::string> paths_;
};

}  // namespace srcsel
