// Google Benchmark with the words that `./tools/dev bench` says: --json FILE.

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

namespace srcsel::bench {

// Runs all that are registered; what main() returns.
inline int RunRegistered(int argc, char **argv) {
  std::vector<std::string> words(argv, argv + argc);
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i] != "--json") continue;
    words[i] = "--benchmark_out=" + words[i + 1];
    words[i + 1] = "--benchmark_out_format=json";
  }
  std::vector<char *> pointers;
  for (std::string &word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace srcsel::bench
