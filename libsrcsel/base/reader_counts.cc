#include "base/reader_counts.hh"

#include <sched.h>
#include <sys/mman.h>

#include <new>

namespace srcsel {

ReaderCounts::ReaderCounts() {
  void *memory =
      mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  madvise(memory, sizeof(Memory), MADV_WIPEONFORK);
  memory_ = new (memory) Memory();
}

ReaderCounts::~ReaderCounts() {
  munmap(memory_, sizeof(Memory));
}

ReaderCounts::Counter &ReaderCounts::Enter() const {
  const auto cpu = static_cast<std::size_t>(sched_getcpu()) % kShards;
  Counter &counter = memory_->shards[memory_->open.load(std::memory_order_relaxed)][cpu].inside;
  counter.fetch_add(1, std::memory_order_seq_cst);
  return counter;
}

void ReaderCounts::Await() {
  awaited_[0].set();
  awaited_[1].set();
  turned_ = false;
}

bool ReaderCounts::Gone() {
  const std::uint32_t open = memory_->open.load(std::memory_order_relaxed);
  if (turned_) return SetGone(open ^ 1);
  if (!SetGone(open ^ 1)) return false;
  memory_->open.store(open ^ 1, std::memory_order_seq_cst);
  turned_ = true;
  return SetGone(open);
}

bool ReaderCounts::SetGone(std::uint32_t set) {
  for (std::size_t i = 0; i < kShards; ++i)
    if (memory_->shards[set][i].inside.load(std::memory_order_seq_cst) == 0) awaited_[set].reset(i);
  return awaited_[set].none();
}

}  // namespace srcsel
