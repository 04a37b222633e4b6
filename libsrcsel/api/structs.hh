// Structures of the C API, whose first member is their size, between programs and libraries of
// different age.

#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "api/error.hh"

namespace srcsel::api {

// What the structures were as long as when they were new; none is shorter.
inline constexpr std::size_t kShortestOpenOptions = 24, kShortestQuestion = 96,
                             kShortestAnswer = 216, kShortestPrepareOptions = 24;
inline constexpr std::size_t kLongest = 4096;

// Copies `given` to `ours`; what the caller's structure has not got becomes 0. 0 or -errno.
template <typename T>
int TakeIn(const T *given, std::size_t shortest, absl::string_view what, T &ours) {
  if (given == nullptr) return Refuse(EINVAL, absl::StrCat(what, ": NULL"));
  if (given->size < shortest || given->size > kLongest)
    return Refuse(EINVAL, absl::StrCat(what, ": a size of ", given->size, " cannot be"));
  const auto *bytes = reinterpret_cast<const std::byte *>(given);
  const auto set = [](std::byte byte) { return byte != std::byte{0}; };
  if (given->size > sizeof(T) && std::any_of(bytes + sizeof(T), bytes + given->size, set))
    return Refuse(E2BIG, absl::StrCat(what, ": has members that this library does not know"));
  ours = T{};
  std::memcpy(&ours, given, std::min(given->size, sizeof(T)));
  return 0;
}

// Copies `ours` to `given` as far as the caller's structure goes, but for its size.
template <typename T>
void GiveBack(const T &ours, T *given) {
  constexpr std::size_t kSize = sizeof(given->size);
  const std::size_t end = std::min(given->size, sizeof(T));
  std::memcpy(reinterpret_cast<std::byte *>(given) + kSize,
              reinterpret_cast<const std::byte *>(&ours) + kSize, end - kSize);
}

}  // namespace srcsel::api
