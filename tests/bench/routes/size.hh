// The sizes that are measured, and what is made of each, for one size at a time: benchmarks run in
// order of size. What cannot be made ends the program.

#pragma once

#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "bench/routes/host.hh"

namespace srcsel::bench {

struct Size {
  const char *name;
  const Shape &shape;
  std::size_t routes;
};

inline void OrDie(const absl::Status &status) {
  if (status.ok()) return;
  std::cerr << "bench_routes: " << status.message() << std::endl;
  std::exit(1);
}

template <typename T>
T OrDie(absl::StatusOr<T> result) {
  OrDie(result.status());
  return *std::move(result);
}

template <typename T>
const T &OfSize(const Size &size, const std::function<std::unique_ptr<T>()> &make) {
  static const Size *of = nullptr;
  static std::unique_ptr<T> made;
  if (of != &size) {
    made.reset();
    made = make();
    of = &size;
  }
  return *made;
}

inline const Host &HostOf(const Size &size) {
  return OfSize<Host>(size, [&] {
    std::cerr << "bench_routes: making " << size.name << " routes" << std::endl;
    return OrDie(Host::Make(size.shape, size.routes));
  });
}

}  // namespace srcsel::bench
