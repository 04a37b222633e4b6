// Carrying absl::Status upwards without noise.
//
// Every error of this project names an object and a verb ("open /run/netns/a: No such file ...");
// absl::ErrnoToStatus(errno, "open " + path) makes one from errno.

#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define SRCSEL_RETURN_IF_ERROR(expr)                                  \
  do {                                                                \
    if (absl::Status status_ = (expr); !status_.ok()) return status_; \
  } while (false)

#define SRCSEL_CONCAT_(a, b) a##b
#define SRCSEL_CONCAT(a, b) SRCSEL_CONCAT_(a, b)

#define SRCSEL_ASSIGN_OR_RETURN(lhs, expr) \
  SRCSEL_ASSIGN_OR_RETURN_(SRCSEL_CONCAT(statusor_, __LINE__), lhs, expr)
#define SRCSEL_ASSIGN_OR_RETURN_(var, lhs, expr) \
  auto var = (expr);                             \
  if (!var.ok()) return std::move(var).status(); \
  lhs = std::move(var).value()
