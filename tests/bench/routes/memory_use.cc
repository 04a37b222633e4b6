#include "bench/routes/memory_use.hh"

#include <malloc.h>

#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace srcsel::bench {
namespace {

// "VmHWM:	    1234 kB"
std::uint64_t StatusLine(absl::string_view name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t:"), absl::SkipEmpty());
    std::uint64_t kilobytes;
    if (words.size() >= 2 && words[0] == name && absl::SimpleAtoi(words[1], &kilobytes))
      return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

std::uint64_t MemoryInUse() {
  malloc_trim(0);
  return StatusLine("VmRSS");
}

void ResetMemoryPeak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::uint64_t MemoryPeak() {
  return StatusLine("VmHWM");
}

}  // namespace srcsel::bench
