// How many readers are inside, so that a writer can tell when all who were there have left.
//
// A reader enters and leaves by one atomic addition each and waits for nobody. There are two sets
// of counters; readers enter the one that is open. The writer waits for both to have been seen at
// 0, the closed one first, and opens that one in between, so that newcomers cannot hold it up
// (sleepable RCU of the kernel does the same). Each set has a counter, in a cache line of its own,
// for each of kShards CPUs.
//
// A process made by fork() finds all this zero (MADV_WIPEONFORK), as just created: the readers that
// were counted are threads it has not got. The same goes for shared(), a word for the owner's use.
//
// Thread-safe: Enter() and Leave() from anywhere, everything else on one thread at a time. Cost:
// entering and leaving 6 ns together; 8 KiB.

#pragma once

#include <atomic>
#include <bitset>
#include <cstdint>

namespace srcsel {

class ReaderCounts {
 public:
  using Counter = std::atomic<std::uint32_t>;

  ReaderCounts();
  ~ReaderCounts();
  ReaderCounts(const ReaderCounts &) = delete;
  ReaderCounts &operator=(const ReaderCounts &) = delete;

  // The counter to leave by, on whatever thread.
  Counter &Enter() const;
  static void Leave(Counter &counter) { counter.fetch_sub(1, std::memory_order_release); }

  std::atomic<const void *> &shared() const { return memory_->shared; }

  // From now on the readers who are inside are waited for.
  void Await();
  // Whether all of them have left.
  bool Gone();

 private:
  static constexpr std::size_t kShards = 32;
  static constexpr std::size_t kCacheLine = 64;

  struct alignas(kCacheLine) Shard {
    Counter inside;
  };
  struct Memory {
    alignas(kCacheLine) std::atomic<const void *> shared;
    std::atomic<std::uint32_t> open;
    Shard shards[2][kShards];
  };

  bool SetGone(std::uint32_t set);

  Memory *memory_;
  std::bitset<kShards> awaited_[2];
  bool turned_ = false;  // since Await()
};

}  // namespace srcsel
