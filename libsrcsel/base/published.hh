// A value that one writer replaces and any number of readers use.
//
//   published.Replace(std::make_unique<const T>(...));        // the writer
//   const auto reading = published.Read();                    // anybody
//   if (reading) Use(*reading);
//
// Contract: what a reader has got stays as it is until its Reading goes, whatever the writer does
// meanwhile. Readers wait for nobody and never fail. The writer never waits either: replaced values
// are kept until no reader can have them, and freed by a later Replace() or Collect(). A Reading
// may be moved to another thread; while one lives the Published must not be destroyed.
//
// In a process made by fork() the readers find nothing, until its writer has replaced the value:
// another thread may have been replacing it while memory was copied.
//
// Thread-safe: Read() from anywhere; everything else on one thread at a time. Cost: a Reading is
// two atomic additions on a cache line of the CPU, 6 ns; see reader_counts.hh.

#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/reader_counts.hh"

namespace srcsel {

template <typename T>
class Published {
 public:
  class Reading {
   public:
    Reading(Reading &&other) noexcept
        : value_(other.value_), counter_(std::exchange(other.counter_, nullptr)) {}
    Reading &operator=(Reading &&) = delete;
    ~Reading() {
      if (counter_ != nullptr) ReaderCounts::Leave(*counter_);
    }

    explicit operator bool() const { return value_ != nullptr; }
    const T &operator*() const { return *value_; }
    const T *operator->() const { return value_; }

   private:
    friend class Published;
    Reading(const T *value, ReaderCounts::Counter *counter) : value_(value), counter_(counter) {}

    const T *value_;
    ReaderCounts::Counter *counter_;
  };

  Published() = default;
  Published(const Published &) = delete;
  Published &operator=(const Published &) = delete;

  Reading Read() const {
    ReaderCounts::Counter &counter = readers_.Enter();
    return Reading(static_cast<const T *>(readers_.shared().load(std::memory_order_seq_cst)),
                   &counter);
  }

  // Null until the first Replace(). For the writer alone.
  const T *current() const { return current_.get(); }

  void Replace(std::unique_ptr<const T> value) {
    readers_.shared().store(value.get(), std::memory_order_seq_cst);
    std::swap(current_, value);
    if (value) replaced_.push_back(std::move(value));
    Collect();
  }

  // Frees what it can; whether nothing is left to be freed.
  bool Collect() {
    while (!awaited_.empty() || !replaced_.empty()) {
      if (awaited_.empty()) {
        awaited_.swap(replaced_);
        readers_.Await();
      }
      if (!readers_.Gone()) return false;
      awaited_.clear();
    }
    return true;
  }

 private:
  ReaderCounts readers_;
  std::unique_ptr<const T> current_;
  std::vector<std::unique_ptr<const T>> awaited_, replaced_;
};

}  // namespace srcsel
